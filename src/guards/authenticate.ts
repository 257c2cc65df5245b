import type { AuthOutcome } from "../kernel/authentication.ts";
import { rejected } from "../kernel/authentication.ts";
import type { Awaitable } from "../kernel/awaitable.ts";
import { isPending } from "../kernel/awaitable.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Guard } from "../kernel/guard.ts";
import { PASS } from "../kernel/guard.ts";
import { bindingOf } from "../kernel/principal.ts";
import type { Authenticator } from "./authenticators/authenticator.ts";

export interface AuthenticateOptions {
  /** Explicit credentials, which a program puts there on purpose. */
  readonly explicit: readonly Authenticator[];
  /** The ambient one, which a browser sends by itself: used only where no explicit one came. */
  readonly ambient: Authenticator;
}

/**
 * Finds out who is asking and notes it on the exchange. It refuses nobody: whether the route needs somebody is the
 * `require` guard's question, after the limits have been charged to whoever this is, or to the address.
 */
export function createAuthenticate(options: AuthenticateOptions): Guard {
  const { explicit, ambient } = options;

  function shownOf(exchange: Exchange): Authenticator | "several" | undefined {
    let shown: Authenticator | undefined;
    for (const authenticator of explicit) {
      if (!authenticator.isShown(exchange)) continue;
      if (shown !== undefined) return "several";
      shown = authenticator;
    }
    return shown ?? (exchange.ridesOnCookie ? ambient : undefined);
  }

  return {
    name: "authenticate",
    check(exchange) {
      if (exchange.rule.access === "public") return PASS;
      exchange.ridesOnCookie = ambient.isShown(exchange);
      const shown = shownOf(exchange);
      if (shown === undefined) return PASS;
      if (shown === "several")
        return note(exchange, rejected("unknown", "several kinds of credential at once"));
      const outcome = shown.authenticate(exchange);
      if (shown !== ambient && exchange.ridesOnCookie) return noteBoth(exchange, outcome, ambient);
      return isPending(outcome) ? outcome.then((late) => note(exchange, late)) : note(exchange, outcome);
    },
  };
}

/** An explicit credential decides who this is; the cookie beside it still says to which session a CSRF token is bound. */
async function noteBoth(
  exchange: Exchange,
  outcome: Awaitable<AuthOutcome>,
  ambient: Authenticator,
): Promise<typeof PASS> {
  // Both from the start: what failed while only the other one is awaited would be nobody's, and end the process.
  const cookie = Promise.try(() => ambient.authenticate(exchange));
  const [ofCookie, ofExplicit] = await Promise.all([cookie, outcome]);
  if (ofCookie.kind === "authenticated" && ofCookie.principal.kind === "user") {
    exchange.cookieBinding = bindingOf(ofCookie.principal);
  }
  return note(exchange, ofExplicit);
}

function note(exchange: Exchange, outcome: AuthOutcome): typeof PASS {
  exchange.outcome = outcome;
  if (outcome.kind === "authenticated") exchange.principal = outcome.principal;
  return PASS;
}
