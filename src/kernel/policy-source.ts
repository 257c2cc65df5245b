import type { Awaitable } from "./awaitable.ts";
import { isPending } from "./awaitable.ts";
import type { LimitPolicy } from "./limiter.ts";

/**
 * The limit that holds now, `undefined` where none does, of a policy that changes while the process runs. It gives the
 * same object as long as the policy is the same: whoever prepares something for a policy does so once.
 */
export type PolicySource = () => Awaitable<LimitPolicy | undefined>;

/** A source of what may be a policy for good. */
export function policySource(policy: LimitPolicy | PolicySource | undefined): PolicySource {
  return typeof policy === "function" ? policy : () => policy;
}

/** A source of what is made of another source's policy, once for each. */
export function derivePolicy(
  source: PolicySource,
  derive: (policy: LimitPolicy) => LimitPolicy,
): PolicySource {
  let from: LimitPolicy | undefined;
  let derived: LimitPolicy | undefined;

  function of(policy: LimitPolicy | undefined): LimitPolicy | undefined {
    if (policy !== from) {
      derived = policy && derive(policy);
      from = policy;
    }
    return derived;
  }

  return () => {
    const policy = source();
    return isPending(policy) ? policy.then(of) : of(policy);
  };
}
