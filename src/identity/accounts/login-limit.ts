import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Allowance } from "../../kernel/exchange.ts";
import type { Limiter, LimitPolicy } from "../../kernel/limiter.ts";
import type { PolicySource } from "../../kernel/policy-source.ts";
import { derivePolicy, policySource } from "../../kernel/policy-source.ts";
import { limitKeyOfAddress } from "../../net/address.ts";
import { canonicalUsername } from "./username.ts";

export interface LoginLimitOptions {
  readonly limiter: Limiter;
  /** Per account and address; absent where it is off, and as of each try where it is a source. */
  readonly policy?: LimitPolicy | PolicySource;
  readonly events: EventSink;
}

/** How often a credential may be tried. */
export interface LoginLimit {
  /**
   * Counts a try before anything is looked at, on the canonical name, so that no spelling of it is a fresh start
   * (ASVS V6.3.1): per account and address, and per address over all accounts; by the address alone where nobody is
   * named yet. `undefined` where nothing limits. One too many is told.
   */
  charge(username: string | undefined, act: Act): Promise<Allowance | undefined>;
}

/** One address may try this many accounts' worth of passwords: room for an office, none for a list of names. */
const SPRAY_FACTOR = 10;
/** What any policy may allow. */
const HIGHEST_LIMIT = 1e9;

export function createLoginLimit({ limiter, policy, events }: LoginLimitOptions): LoginLimit {
  const policyNow = policySource(policy);
  const sprayOf = derivePolicy(policyNow, (one) => ({
    ...one,
    name: "login-address",
    limit: Math.min(one.limit * SPRAY_FACTOR, HIGHEST_LIMIT),
  }));

  async function take(username: string | undefined, act: Act): Promise<Allowance | undefined> {
    const current = await policyNow();
    const spray = await sprayOf();
    if (current === undefined || spray === undefined) return undefined;
    const block = limitKeyOfAddress(act.address ?? "");
    const byAddress = await limiter.take(spray, `address:${block}`, act.atMs);
    if (!byAddress.allowed || username === undefined) return byAddress;
    return limiter.take(current, `login:${block} ${canonicalUsername(username)?.key ?? ""}`, act.atMs);
  }

  return {
    async charge(username, act) {
      const allowance = await take(username, act);
      if (allowance?.allowed === false) {
        await events.record({
          ...act,
          name: "rate_limit.exceeded",
          outcome: "failure",
          ...(username !== undefined && { subject: subjectOf(username) }),
          reason: `limit "${allowance.policy}"`,
          details: { login: true },
        });
      }
      return allowance;
    },
  };
}

/** How events name whom a credential was tried for. */
export function subjectOf(username: string): string {
  return canonicalUsername(username)?.key ?? "(not a user name)";
}
