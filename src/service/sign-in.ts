import { stageAllowance } from "../guards/limit-headers.ts";
import type { Account } from "../identity/accounts/account.ts";
import type { Credentials, SignInOutcome } from "../identity/accounts/sign-in.ts";
import type { Exchange } from "../kernel/exchange.ts";
import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";
import { actOf } from "../pipeline/denial-event.ts";
import type { Service } from "./service.ts";

const INVALID_CREDENTIALS = problem("invalid_credentials", "The user name or password is wrong.");

/** The account that a name and password sign in, or a refusal; the login limit's headers are staged either way. */
export async function signIn(
  service: Service,
  exchange: Exchange,
  credentials: Credentials,
): Promise<Account> {
  return accountOf(await service.signIn.byPassword(credentials, actOf(exchange)), exchange);
}

/** The account whose password a signed-in person has given again, or a refusal, as of a sign-in. */
export async function confirmPassword(
  service: Service,
  exchange: Exchange,
  credentials: Credentials,
): Promise<Account> {
  return accountOf(await service.signIn.confirmPassword(credentials, actOf(exchange)), exchange);
}

function accountOf(outcome: SignInOutcome, exchange: Exchange): Account {
  if (outcome.allowance) stageAllowance(exchange, outcome.allowance);
  switch (outcome.kind) {
    case "signed_in":
      return outcome.account;
    case "refused":
      throw new Refusal(INVALID_CREDENTIALS);
    case "limited": {
      const seconds = String(outcome.allowance.retryAfterSeconds);
      const detail = `Too many tries. Try again in ${seconds} s.`;
      throw new Refusal(problem("rate_limited", detail, { headers: ["retry-after", seconds] }));
    }
  }
}

/** An access token of a session, in the shape of RFC 6749 section 5.1. */
export function tokenPair(
  service: Service,
  account: Account,
  sessionId: string,
  refreshToken: string,
  nowMs: number,
) {
  const issued = service.tokens.issue({ userId: account.id, sessionId, role: account.role, nowMs });
  return {
    access_token: issued.token,
    token_type: "bearer" as const,
    // As the token itself counts: from its `iat`, a whole second.
    expires_in: issued.expiresAtMs / 1000 - Math.floor(nowMs / 1000),
    refresh_token: refreshToken,
  };
}

/** Starts the session of a signed-in program, with its first pair of tokens. */
export async function startTokens(service: Service, account: Account, exchange: Exchange) {
  const session = await service.sessions.startToken(account, actOf(exchange));
  const refreshToken = await service.refreshTokens.issue(session, exchange.nowMs);
  return tokenPair(service, account, session.id, refreshToken, exchange.nowMs);
}
