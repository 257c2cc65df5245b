import { Exchange } from "../../src/kernel/exchange.ts";
import type { Limiter, LimitPolicy } from "../../src/kernel/limiter.ts";
import type { Principal, User } from "../../src/kernel/principal.ts";
import { ANONYMOUS } from "../../src/kernel/principal.ts";
import type { Rule } from "../../src/kernel/rule.ts";
import { PUBLIC_RULE } from "../../src/kernel/rule.ts";
import { createMemoryLimiter } from "../../src/stores/memory/memory-limiter.ts";

export const NOW_MS = Date.UTC(2026, 0, 1);

const USER: User = { id: "", username: "ada", email: null, role: "user" };

export const userOf = (id: string): Principal => ({
  kind: "user",
  user: { ...USER, id },
  credential: "access_token",
  sessionId: "s",
  authenticatedAtMs: NOW_MS,
  mfa: false,
});

export const serviceOf = (keyId: string): Principal => ({
  kind: "service",
  user: { ...USER, id: "owner" },
  credential: "api_key",
  keyId,
  keyName: "robot",
  ownerId: "owner",
  scopes: [],
  authenticatedAtMs: NOW_MS,
});

export interface ExchangeParts {
  readonly address?: string;
  readonly principal?: Principal;
  readonly nowMs?: number;
  readonly rule?: Partial<Rule>;
}

export function exchangeOf(parts: ExchangeParts = {}): Exchange {
  const { address = "192.0.2.1", principal = ANONYMOUS, nowMs = NOW_MS, rule } = parts;
  const view = {
    method: "GET",
    path: "/",
    target: "/",
    header: () => undefined,
    headerLines: () => [],
    peerAddress: address,
    peerEncrypted: true,
  };
  const client = { address, scheme: "https", host: "example.org", viaTrustedProxy: false } as const;
  const exchange = new Exchange(view, { ...PUBLIC_RULE, ...rule }, "r", client, nowMs, [
    "x-staged-before",
    "1",
  ]);
  exchange.principal = principal;
  return exchange;
}

/** What is staged, but for what was staged before. */
export function stagedOf(exchange: Exchange): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let i = 2; i < exchange.staged.length; i += 2)
    pairs.push([exchange.staged[i]!, exchange.staged[i + 1]!]);
  return Object.fromEntries(pairs);
}

/** A limiter that answers at once, or one that answers later, and the keys that were taken from. */
export function spyLimiter(answers: "at once" | "later"): { limiter: Limiter; takes: string[] } {
  const memory = createMemoryLimiter();
  const takes: string[] = [];
  const take = (policy: LimitPolicy, key: string, nowMs: number) => {
    takes.push(`${policy.name} ${key}`);
    const allowance = memory.take(policy, key, nowMs);
    return answers === "later" ? Promise.resolve(allowance) : allowance;
  };
  return { limiter: { take }, takes };
}
