import type { Awaitable } from "../kernel/awaitable.ts";
import { isPending, then } from "../kernel/awaitable.ts";
import type { Allowance, Exchange } from "../kernel/exchange.ts";
import type { Decision, Guard } from "../kernel/guard.ts";
import { deny, PASS } from "../kernel/guard.ts";
import type { Limiter, LimitPolicy } from "../kernel/limiter.ts";
import type { PolicySource } from "../kernel/policy-source.ts";
import { policySource } from "../kernel/policy-source.ts";
import type { Authenticated } from "../kernel/principal.ts";
import { problem } from "../kernel/problem.ts";
import { limitKeyOfAddress } from "../net/address.ts";
import type { StageAllowance } from "./limit-headers.ts";
import { createLimitHeaders } from "./limit-headers.ts";

export interface AddressLimitOptions {
  readonly limiter: Limiter;
  /** Where it is a source: as of each request. */
  readonly policy: LimitPolicy | PolicySource;
}

export interface PrincipalLimitOptions {
  readonly limiter: Limiter;
  /** For everybody without a policy of their own; where it is a source, as of each request. */
  readonly policy: LimitPolicy | PolicySource;
  /** A principal's own policies, which then hold in place of `policy`; none where it is empty or absent. */
  readonly policiesOf?: (principal: Authenticated) => readonly LimitPolicy[] | undefined;
}

/**
 * Charges every request to the address that it comes from, before authentication costs anything (ASVS V6.1.1,
 * V15.2.2). A ceiling: it says nothing of itself until it refuses. An outage of the limiter is a throw.
 */
export function createAddressLimit(options: AddressLimitOptions): Guard {
  const { limiter } = options;
  const policyNow = policySource(options.policy);
  const stageOf = createStages();
  const decide = (exchange: Exchange, key: string, policy: LimitPolicy, allowance: Allowance): Decision => {
    if (allowance.allowed) return PASS;
    stageOf(policy)(exchange, allowance);
    return refusal(allowance, key);
  };
  const charge = (exchange: Exchange, policy: LimitPolicy | undefined): Awaitable<Decision> => {
    if (policy === undefined) return PASS;
    const key = addressKey(exchange);
    const taken = limiter.take(policy, key, exchange.nowMs);
    return isPending(taken)
      ? taken.then((late) => decide(exchange, key, policy, late))
      : decide(exchange, key, policy, taken);
  };
  return {
    name: "address-limit",
    check(exchange) {
      if (exchange.rule.limit === "off") return PASS;
      const policy = policyNow();
      return isPending(policy) ? policy.then((late) => charge(exchange, late)) : charge(exchange, policy);
    },
  };
}

/**
 * Charges a request to whoever it proved to be: the user, the API key, or the address where nobody is known, also
 * after a credential that was rejected. Of several policies all must allow, and the tightest one is shown. An outage
 * of the limiter is a throw.
 */
export function createPrincipalLimit(options: PrincipalLimitOptions): Guard {
  const { limiter, policiesOf } = options;
  const policyNow = policySource(options.policy);
  const stageOf = createStages();

  function decide(exchange: Exchange, key: string, shown: LimitPolicy, allowance: Allowance): Decision {
    stageOf(shown)(exchange, allowance);
    return allowance.allowed ? PASS : refusal(allowance, key);
  }

  /** Takes from one policy after the other, up to the first that refuses. */
  function takeAll(
    exchange: Exchange,
    key: string,
    policies: readonly LimitPolicy[],
    index: number,
    tightest?: { readonly policy: LimitPolicy; readonly allowance: Allowance },
  ): Awaitable<Decision> {
    const current = policies[index]!;
    return then(limiter.take(current, key, exchange.nowMs), (allowance) => {
      const shown =
        tightest === undefined || isTighter(allowance, tightest.allowance)
          ? { policy: current, allowance }
          : tightest;
      return allowance.allowed && index + 1 < policies.length
        ? takeAll(exchange, key, policies, index + 1, shown)
        : decide(exchange, key, shown.policy, shown.allowance);
    });
  }

  function charge(exchange: Exchange, policy: LimitPolicy | undefined): Awaitable<Decision> {
    if (policy === undefined) return PASS;
    const key = keyOf(exchange);
    const taken = limiter.take(policy, key, exchange.nowMs);
    return isPending(taken)
      ? taken.then((late) => decide(exchange, key, policy, late))
      : decide(exchange, key, policy, taken);
  }

  return {
    name: "principal-limit",
    check(exchange) {
      if (exchange.rule.limit === "off") return PASS;
      const { principal } = exchange;
      const own = principal.kind === "anonymous" ? undefined : policiesOf?.(principal);
      if (own !== undefined && own.length > 0) {
        return takeAll(exchange, keyOf(exchange), own.length === 1 ? own : own.toSorted(byWindow), 0);
      }
      const policy = policyNow();
      return isPending(policy) ? policy.then((late) => charge(exchange, late)) : charge(exchange, policy);
    },
  };
}

/** What tells the client of a policy, made once for each policy; nearly all requests are of the same one. */
function createStages(): (policy: LimitPolicy) => StageAllowance {
  const stages = new WeakMap<LimitPolicy, StageAllowance>();
  let latest: LimitPolicy | undefined;
  let stageLatest: StageAllowance | undefined;
  return (policy) => {
    if (policy === latest && stageLatest !== undefined) return stageLatest;
    const stage = stages.get(policy) ?? createLimitHeaders(policy);
    stages.set(policy, stage);
    latest = policy;
    stageLatest = stage;
    return stage;
  };
}

/** Shortest first: what a refused request has been charged for nothing then comes back soonest. */
function byWindow(a: LimitPolicy, b: LimitPolicy): number {
  return a.windowMs - b.windowMs;
}

function isTighter(a: Allowance, b: Allowance): boolean {
  if (a.allowed !== b.allowed) return !a.allowed;
  return a.remaining < b.remaining || (a.remaining === b.remaining && a.resetSeconds > b.resetSeconds);
}

/** Each kind of key has its prefix, so that no name can be spelled like another kind's key. */
function keyOf(exchange: Exchange): string {
  const { principal } = exchange;
  switch (principal.kind) {
    case "anonymous":
      return addressKey(exchange);
    case "user":
      return `user:${principal.user.id}`;
    case "service":
      return `key:${principal.keyId}`;
  }
}

function addressKey({ client }: Exchange): string {
  return `address:${limitKeyOfAddress(client.address)}`;
}

function refusal({ policy, retryAfterSeconds }: Allowance, key: string): Decision {
  const seconds = String(retryAfterSeconds);
  return deny(
    problem("rate_limited", `Try again in ${seconds} s.`, { headers: ["retry-after", seconds] }),
    `limit "${policy}" of ${key}`,
  );
}
