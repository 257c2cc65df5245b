import type { Limiter } from "../../src/kernel/limiter.ts";
import type { RedisConnection } from "../../src/stores/redis/connection.ts";
import { openRedisConnection } from "../../src/stores/redis/connection.ts";
import { GCRA_SCRIPT } from "../../src/stores/redis/gcra-script.ts";
import type { RedisLimiter } from "../../src/stores/redis/redis-limiter.ts";
import { createRedisLimiter } from "../../src/stores/redis/redis-limiter.ts";
import { eventually } from "./eventually.ts";
import type { RedisServer } from "./redis-server.ts";

export const HASH_KEY = new Uint8Array(16).fill(7);

export interface OpenRedisLimiter {
  readonly limiter: RedisLimiter;
  readonly connection: RedisConnection;
  close(): void;
}

/** A limiter over Redis, once it decides. */
export async function openRedisLimiter(
  urls: readonly string[],
  { deadlineMs = 1000, partitions = urls.length > 1 ? 16 : 1, lua = GCRA_SCRIPT } = {},
): Promise<OpenRedisLimiter> {
  const connection = openRedisConnection({ urls, deadlineMs });
  const run = connection.script("kyrosTake", lua);
  const limiter = createRedisLimiter({ run, hashKey: HASH_KEY, partitions });
  await eventually(() => limiter.probe());
  return { limiter, connection, close: () => connection.close() };
}

/**
 * The same on a clock that the caller sets: in the script, a list in Redis stands in the place of its time, and there is
 * no expiry, as Redis would judge that by its own. All the rest of the script is as it runs.
 */
export async function openClockedLimiter(server: RedisServer): Promise<{ limiter: Limiter; close(): void }> {
  const lua = replaced(
    replaced(GCRA_SCRIPT, "redis.call('TIME')", "redis.call('LRANGE', 'test:time', 0, 1)"),
    ", 'PXAT', now + ms + 10000",
    "",
  );
  const set = (nowMs: number) =>
    server.command(
      "eval",
      "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], ARGV[1], ARGV[2])",
      1,
      "test:time",
      Math.floor(nowMs / 1000),
      (nowMs - Math.floor(nowMs / 1000) * 1000) * 1000,
    );
  await set(Date.now());
  const { limiter, close } = await openRedisLimiter([server.url], { lua });
  let settingTo = Number.NaN;
  let isSet: Promise<unknown> = Promise.resolve();
  return {
    limiter: {
      async take(policy, key, nowMs) {
        if (nowMs !== settingTo) {
          settingTo = nowMs;
          isSet = set(nowMs);
        }
        await isSet;
        return limiter.take(policy, key, nowMs);
      },
    },
    close,
  };
}

function replaced(text: string, part: string, by: string): string {
  if (text.split(part).length !== 2) throw new Error(`the script does not say ${part} once`);
  return text.replace(part, by);
}
