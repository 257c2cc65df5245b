import type { Awaitable } from "./awaitable.ts";
import type { Exchange } from "./exchange.ts";
import type { Decision } from "./guard.ts";
import type { Authenticated, Principal, Role } from "./principal.ts";

/**
 * What the matched route asks of a request: rules as data, read by the guards. A route that says nothing gets
 * `DEFAULT_RULE`: closed unless opened (ASVS V8.2.1), and judged on the matched route, never on the path's text.
 */
export interface Rule {
  /** `public`: no credential is looked at. `optional`: one is used where shown. `user`: one is needed. */
  readonly access: "public" | "optional" | "user";
  readonly role?: Role;
  /** Only exactly this role, not those above it. */
  readonly exactRole?: Role;
  /** All of these are needed where the credential is limited by scopes. */
  readonly scopes?: readonly string[];
  /** Which callers may come at all; people alone for what a key must never do, such as managing keys. */
  readonly callers?: "people" | "any";
  readonly policy?: (principal: Authenticated, exchange: Exchange) => Awaitable<boolean>;
  /** Longest time since the caller last proved a primary credential (ms); beyond it `step_up_required`. */
  readonly freshWithinMs?: number;
  /** Only a session in which a second factor was proved; else `step_up_required`. Never an API key. */
  readonly mfa?: true;
  /**
   * `token`: a state-changing request on a cookie must echo the CSRF token. `origin`: it must only not be cross-site
   * (routes that carry their own credential in the body, like a login). `exempt`: no check (browser-sent reports).
   */
  readonly csrf: "token" | "origin" | "exempt";
  /** `off` for probes: they must not be starved by clients, and cost nothing. */
  readonly limit: "default" | "off";
  /**
   * What holds while this instance cannot follow what the others change: each decision then asks the database, or, with
   * `refuse`, is none (503 `unavailable`).
   */
  readonly whileBehind?: "refuse";
  /** Served over plain HTTP too: a probe comes from the machine next to it, shows no credential and learns nothing. */
  readonly plainHttp?: boolean;
  /** A page for people: a plain-HTTP GET may be redirected to HTTPS instead of refused (ASVS V4.1.2). */
  readonly page?: boolean;
  /** Of a `public` rule: nobody comes through, and this is what everybody is told. */
  readonly refusal?: Extract<Decision, { readonly kind: "deny" }>;
  /** Where a browser's navigation without a credential is redirected to; `undefined` where it is refused as others are. */
  readonly signInPage?: (exchange: Exchange) => string | undefined;
}

/** A rule that lets nobody anonymous through; `P` is what the handler then finds as its principal. */
export interface Guarded<P extends Principal = Authenticated> extends Rule {
  readonly access: "user";
  /** Carries the type only. */
  readonly principal?: P;
}

export const DEFAULT_RULE: Guarded = Object.freeze({ access: "user", csrf: "token", limit: "default" });
/** Open to all. No credential is looked at, so nothing can ride on a cookie and the origin check suffices. */
export const PUBLIC_RULE: Rule = Object.freeze({ access: "public", csrf: "origin", limit: "default" });
