import type { Principal } from "../../kernel/principal.ts";

/** Everything that may not stand in a header as it is; `%` itself is in no user name. */
const NOT_PLAIN = /[^A-Za-z0-9._@+-]+/gu;

/**
 * Who passed, for the service behind the gate. Always all of the headers, empty where they do not apply, so that none
 * that a client sent along survives. A name's other characters are percent-encoded UTF-8. A program has the rank of a
 * user, whoever owns it: what it may do is in its scopes, as for the guards.
 */
export function identityHeaders(principal: Principal): Readonly<Record<string, string>> {
  if (principal.kind === "anonymous") return { "x-auth-user": "", "x-auth-role": "", "x-auth-scopes": "" };
  const { user, scopes = [] } = principal;
  return {
    "x-auth-user": user.username.replace(NOT_PLAIN, encodeURIComponent),
    "x-auth-role": principal.kind === "service" ? "user" : user.role,
    "x-auth-scopes": scopes.join(" "),
  };
}
