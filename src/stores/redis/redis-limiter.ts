import type { Allowance } from "../../kernel/exchange.ts";
import { Outage } from "../../kernel/failure.ts";
import type { Limiter, LimitPolicy } from "../../kernel/limiter.ts";
import type { GcraRate } from "../gcra-rate.ts";
import { allowanceOf, compileRate } from "../gcra-rate.ts";
import type { RunScript } from "./connection.ts";
import { createLimitKeys } from "./limit-keys.ts";

export interface RedisLimiterOptions {
  /** `GCRA_SCRIPT`, as the connection runs it. */
  readonly run: RunScript;
  /** 16 bytes that all instances share and nobody else knows. */
  readonly hashKey: Uint8Array;
  /** Into how many slots of a cluster the counters are spread; 1 for a single server. */
  readonly partitions: number;
}

export interface RedisLimiter extends Limiter {
  /** Decides on Redis's clock, not on `nowMs`. Rejects with an `Outage` where Redis does not decide in time. */
  take(policy: LimitPolicy, key: string, nowMs: number): Promise<Allowance>;
  /** Counts on a counter of its own in every partition, as `take` would. Rejects with an `Outage`. */
  probe(): Promise<void>;
}

/**
 * Counters of one call at most. While Redis decides one call of a turn, this process settles the one before it: neither
 * sleeps until the other is done, and nobody waits for more of the turn than this.
 */
const MOST_KEYS = 32;
const PROBE: LimitPolicy = { name: "probe", limit: 1000, windowMs: 1000 };

interface CompiledPolicy {
  readonly policy: LimitPolicy;
  readonly rate: GcraRate;
}

interface Take {
  readonly compiled: CompiledPolicy;
  readonly key: string;
  readonly resolve: (allowance: Allowance) => void;
  readonly reject: (outage: Outage) => void;
}

/**
 * Limits shared by all instances, in Redis. The decisions of one turn of the event loop go together, `MOST_KEYS` in a
 * call, and in a call for each partition that they touch.
 *
 * A call that fails may still be carried out, late or in part. Its requests were decided elsewhere by then, and each
 * adds what it costs to its counter: what Redis grants afterwards is at most too little, never too much.
 */
export function createRedisLimiter({ run, hashKey, partitions }: RedisLimiterOptions): RedisLimiter {
  const keyOf = createLimitKeys(hashKey, partitions);
  const compiledPolicies = new WeakMap<LimitPolicy, CompiledPolicy>();
  /** What this turn has to decide, by partition and policy. */
  const turn = Array.from({ length: partitions }, () => new Map<CompiledPolicy, Take[]>());
  let isScheduled = false;

  function compile(policy: LimitPolicy): CompiledPolicy {
    let compiled = compiledPolicies.get(policy);
    if (compiled === undefined) {
      compiled = { policy: { ...policy }, rate: compileRate(policy) };
      compiledPolicies.set(policy, compiled);
    }
    return compiled;
  }

  function add(compiled: CompiledPolicy, text: string, partition: number): Promise<Allowance> {
    return new Promise((resolve, reject) => {
      const take = { compiled, key: text, resolve, reject };
      const takes = turn[partition]!.get(compiled);
      if (takes === undefined) turn[partition]!.set(compiled, [take]);
      else takes.push(take);
      if (isScheduled) return;
      isScheduled = true;
      // After the turn's input has been read: whatever arrived together is decided together.
      setImmediate(flush);
    });
  }

  function flush(): void {
    isScheduled = false;
    for (const policies of turn) {
      if (policies.size === 0) continue;
      // Of one policy the order stays; that of different ones does not matter, as they share no counter.
      const takes = [...policies.values()].flat();
      policies.clear();
      for (let from = 0; from < takes.length; from += MOST_KEYS) decide(takes.slice(from, from + MOST_KEYS));
    }
  }

  function decide(takes: readonly Take[]): void {
    run(
      takes.map((take) => take.key),
      ratesOf(takes),
    ).then(
      (reply) => settle(takes, reply),
      (cause) => fail(takes, cause),
    );
  }

  return {
    take(policy, key) {
      const compiled = compile(policy);
      const { text, partition } = keyOf(compiled.policy, key);
      return add(compiled, text, partition);
    },
    async probe() {
      const compiled = compile(PROBE);
      await Promise.all(
        turn.map((_, partition) => add(compiled, `kyros:limit:{${partition}}:probe`, partition)),
      );
    },
  };
}

/** The script's arguments: each rate, and how many of the keys that follow each other have it. */
function ratesOf(takes: readonly Take[]): readonly number[] {
  const args: number[] = [];
  let current: CompiledPolicy | undefined;
  for (const { compiled } of takes) {
    if (compiled !== current) {
      const { unitsPerMs, emission, capacity } = compiled.rate;
      args.push(unitsPerMs, emission, capacity, 0);
      current = compiled;
    }
    args[args.length - 1]!++;
  }
  return args;
}

function settle(takes: readonly Take[], reply: unknown): void {
  if (!Array.isArray(reply) || reply.length !== takes.length || !reply.every(Number.isSafeInteger)) {
    fail(takes, new Error("the reply is not that of this call"));
    return;
  }
  for (let i = 0; i < takes.length; i++) {
    const { compiled, resolve } = takes[i]!;
    const owed = reply[i] as number;
    resolve(allowanceOf(compiled.policy, compiled.rate, Math.abs(owed), owed > 0));
  }
}

function fail(takes: readonly Take[], cause: unknown): void {
  const outage = new Outage("redis", { cause });
  for (const { reject } of takes) reject(outage);
}
