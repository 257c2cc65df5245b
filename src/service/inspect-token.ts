import type { AuthOutcome } from "../kernel/authentication.ts";
import type { Service } from "./service.ts";

/** RFC 7662 section 2.2: of a token that does not count, nothing else is told. */
const INACTIVE = Object.freeze({ active: false });

/** What a token says, and whether it counts now: access tokens of people and programs, and refresh tokens. */
export async function inspectToken(service: Service, token: string, nowMs: number) {
  const verified = service.tokens.verify(token, nowMs);
  if (verified.kind === "valid") {
    const { claims } = verified;
    const outcome: AuthOutcome =
      claims.kind === "user"
        ? await service.live.ofClaims(claims, nowMs)
        : await service.liveKeys.ofClaims(claims, nowMs);
    if (outcome.kind !== "authenticated") return INACTIVE;
    const { principal } = outcome;
    return {
      active: true,
      token_type: "bearer",
      sub: claims.sub,
      username: principal.user.username,
      ...(claims.kind === "service" ? { client_id: claims.sub } : { role: principal.user.role }),
      ...(principal.scopes && { scope: principal.scopes.join(" ") }),
      jti: claims.jti,
      iat: claims.issuedAtMs / 1000,
      exp: claims.expiresAtMs / 1000,
    };
  }
  const family = await service.refreshTokens.sessionOf(token, nowMs);
  if (family === undefined) return INACTIVE;
  const outcome = await service.live.ofSessionId(family.sessionId, nowMs);
  return outcome.kind === "authenticated"
    ? {
        active: true,
        token_type: "refresh_token",
        sub: family.userId,
        username: outcome.principal.user.username,
      }
    : INACTIVE;
}
