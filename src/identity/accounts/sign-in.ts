import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Allowance } from "../../kernel/exchange.ts";
import type { Limiter, LimitPolicy } from "../../kernel/limiter.ts";
import type { PolicySource } from "../../kernel/policy-source.ts";
import { derivePolicy, policySource } from "../../kernel/policy-source.ts";
import { limitKeyOfAddress } from "../../net/address.ts";
import type { Account, AccountStore } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import { canonicalUsername } from "./username.ts";

export interface SignInOptions {
  readonly accounts: Accounts;
  readonly store: AccountStore;
  readonly limiter: Limiter;
  /** Per account and address; absent where it is off, and as of each try where it is a source. */
  readonly policy?: LimitPolicy | PolicySource;
  readonly events: EventSink;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type SignInOutcome =
  | { readonly kind: "signed_in"; readonly account: Account; readonly allowance?: Allowance }
  | { readonly kind: "refused"; readonly allowance?: Allowance }
  | { readonly kind: "limited"; readonly allowance: Allowance };

export interface SignIn {
  /** Signs a person in by name and password; every try is counted and told. */
  byPassword(credentials: Credentials, act: Act): Promise<SignInOutcome>;
  /** Asks a signed-in person for the password again: counted like any other try, but no sign-in where it is right. */
  confirmPassword(credentials: Credentials, act: Act): Promise<SignInOutcome>;
}

/** One address may try this many accounts' worth of passwords: room for an office, none for a list of names. */
const SPRAY_FACTOR = 10;
/** What any policy may allow. */
const HIGHEST_LIMIT = 1e9;

/**
 * Tries are counted before anything is hashed, on the canonical name, so that no spelling of it is a fresh start
 * (ASVS V6.3.1): per account and address, and per address over all accounts.
 */
export function createSignIn(options: SignInOptions): SignIn {
  const { accounts, store, limiter, events } = options;
  const policyNow = policySource(options.policy);
  const sprayOf = derivePolicy(policyNow, (policy) => ({
    ...policy,
    name: "login-address",
    limit: Math.min(policy.limit * SPRAY_FACTOR, HIGHEST_LIMIT),
  }));

  async function charge(username: string, act: Act): Promise<Allowance | undefined> {
    const policy = await policyNow();
    const spray = await sprayOf();
    if (policy === undefined || spray === undefined) return undefined;
    const block = limitKeyOfAddress(act.address ?? "");
    const byAddress = await limiter.take(spray, `address:${block}`, act.atMs);
    if (!byAddress.allowed) return byAddress;
    return limiter.take(policy, `login:${block} ${canonicalUsername(username)?.key ?? ""}`, act.atMs);
  }

  async function prove({ username, password }: Credentials, act: Act): Promise<SignInOutcome> {
    events.assertWritable?.();
    const allowance = await charge(username, act);
    const shown = allowance && { allowance };
    const subject = canonicalUsername(username)?.key ?? "(not a user name)";
    if (allowance?.allowed === false) {
      const reason = `limit "${allowance.policy}"`;
      const details = { login: true };
      await events.record({
        ...act,
        name: "rate_limit.exceeded",
        outcome: "failure",
        subject,
        reason,
        details,
      });
      return { kind: "limited", allowance };
    }
    const account = await accounts.authenticate(username, password, act);
    if (account !== undefined) return { kind: "signed_in", account, ...shown };
    await events.record({ ...act, name: "auth.login.failed", outcome: "failure", subject });
    return { kind: "refused", ...shown };
  }

  return {
    async byPassword(credentials, act) {
      const outcome = await prove(credentials, act);
      if (outcome.kind !== "signed_in") return outcome;
      const { account } = outcome;
      await store.update(account.id, { lastLoginAtMs: act.atMs });
      await events.record({
        ...act,
        name: "auth.login.succeeded",
        outcome: "success",
        actor: { kind: "user", id: account.id, name: account.username },
        subject: account.id,
      });
      return outcome;
    },
    confirmPassword: prove,
  };
}
