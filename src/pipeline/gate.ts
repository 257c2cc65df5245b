import type { Exchange } from "../kernel/exchange.ts";
import type { Decision } from "../kernel/guard.ts";
import type { Authenticated, Principal } from "../kernel/principal.ts";
import type { Guarded, Rule } from "../kernel/rule.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * A rule in the form in which hosts take it: as the options of a Fastify route (`config.kyros`), or handed to another
 * adapter. `P` is the principal that a handler behind it finds.
 */
export interface RouteGuard<R extends Rule = Rule> {
  readonly config: { readonly kyros: R };
}

export type PrincipalOf<R> =
  R extends Guarded<infer P> ? P : R extends { readonly access: "user" } ? Authenticated : Principal;

/** All an adapter needs: the way in, and the check that has to wait for a parsed form. */
export interface Gate {
  readonly pipeline: Pipeline;
  /** Finishes the CSRF check of an exchange whose token is in its form body; see the `csrf` guard. */
  checkForm(exchange: Exchange, field: string | undefined): Decision;
  /** The nonce for this response's inline scripts and styles; the first call restages the response's CSP with it. */
  useNonce(exchange: Exchange): string;
}
