import type { AuthOutcome } from "../../kernel/authentication.ts";
import type { Awaitable } from "../../kernel/awaitable.ts";
import type { Exchange } from "../../kernel/exchange.ts";

/** Turns one kind of credential into an outcome. It decides nothing about the route. */
export interface Authenticator {
  readonly name: "bearer" | "session-cookie" | "api-key";
  /** Whether such a credential came along, valid or not. Costs no I/O. */
  isShown(exchange: Exchange): boolean;
  /** Called only where one is shown. */
  authenticate(exchange: Exchange): Awaitable<AuthOutcome>;
}
