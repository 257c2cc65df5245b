import type { Guard } from "../kernel/guard.ts";

/** The guards of a pipeline by their place in it. */
export interface GuardSet {
  readonly https: Guard;
  readonly cors: Guard;
  readonly addressLimit: Guard;
  readonly authenticate: Guard;
  readonly principalLimit: Guard;
  readonly csrf: Guard;
  readonly require: Guard;
}

/**
 * The one table of order. Security headers come before all of it: they are staged when an exchange is opened, so that
 * even the first guard's refusal carries them.
 */
export const ORDER: readonly { readonly guard: keyof GuardSet; readonly why: string }[] = [
  { guard: "https", why: "nothing on a connection that others can read" },
  { guard: "cors", why: "staged early, so that a page may read any refusal that follows" },
  { guard: "addressLimit", why: "cheap, before a credential costs anything" },
  { guard: "authenticate", why: "finds out who asks; refuses nobody" },
  { guard: "principalLimit", why: "fair: by user or key, by address for everybody else" },
  { guard: "csrf", why: "needs the session that the cookie stands for" },
  { guard: "require", why: "closed unless the matched route's rule opens it" },
];

export function inOrder(guards: GuardSet): readonly Guard[] {
  return ORDER.map((step) => guards[step.guard]);
}
