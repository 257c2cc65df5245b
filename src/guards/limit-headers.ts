import type { Allowance, Exchange } from "../kernel/exchange.ts";
import type { LimitPolicy } from "../kernel/limiter.ts";

/** Tells the client of one policy's allowance, in the headers of whatever response the exchange ends in. */
export type StageAllowance = (exchange: Exchange, allowance: Allowance) => void;

const POLICY = "ratelimit-policy";

/** RFC 9651 section 3.3.3: what a String may hold. */
const STRING = /^[\x20-\x7e]+$/;

/**
 * Makes what stages `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10, as RFC 9651 writes
 * Strings) and the older `X-RateLimit-*`, whose reset counts seconds from now, like `t`. Staged again, it takes the
 * place of what another policy staged before. Throws a RangeError for a policy whose name no header can carry.
 */
export function createLimitHeaders({ name, limit, windowMs }: LimitPolicy): StageAllowance {
  if (!STRING.test(name)) throw new RangeError("a limit policy's name must be printable ASCII");
  const quoted = `"${name.replace(/["\\]/g, "\\$&")}"`;
  const policy = `${quoted};q=${limit};w=${Math.ceil(windowMs / 1000)}`;
  const limitText = String(limit);
  const head = `${quoted};r=`;
  return ({ staged }, { remaining, resetSeconds }) => {
    const remainingText = String(remaining);
    const resetText = String(resetSeconds);
    const current = `${head}${remainingText};t=${resetText}`;
    for (let i = 0; i < staged.length; i += 2) {
      if (staged[i] !== POLICY) continue;
      // All five are only ever staged here, and together.
      staged[i + 1] = policy;
      staged[i + 3] = current;
      staged[i + 5] = limitText;
      staged[i + 7] = remainingText;
      staged[i + 9] = resetText;
      return;
    }
    staged.push(POLICY, policy, "ratelimit", current, "x-ratelimit-limit", limitText);
    staged.push("x-ratelimit-remaining", remainingText, "x-ratelimit-reset", resetText);
  };
}

/** Stages an allowance whose policy was not known beforehand. What runs on every request uses `createLimitHeaders`. */
export function stageAllowance(exchange: Exchange, allowance: Allowance): void {
  const { policy, limit, windowSeconds } = allowance;
  createLimitHeaders({ name: policy, limit, windowMs: windowSeconds * 1000 })(exchange, allowance);
}
