import type { RunScript } from "./connection.ts";

/** Notes that an instance is alive, forgets those that have been silent for too long, and counts the others. */
export const HEARTBEAT_SCRIPT = `#!lua
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[2], '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`;

/** Takes an instance that stops out of the count. */
export const FAREWELL_SCRIPT = `#!lua
return redis.call('ZREM', KEYS[1], ARGV[1])
`;

export interface Instances {
  /** How many there are, this one included: the most that the last ten heartbeats told of. */
  count(): number;
  /** Tells the others of this one, and counts them. Rejects where Redis does not answer; the count stays. */
  beat(): Promise<void>;
  leave(): Promise<void>;
}

const KEY = "kyros:instances";
/** Silent for longer, an instance is not alive (ms). */
const ALIVE_MS = 5000;
/**
 * A count that falls is believed after so many heartbeats: one that is wrong for a moment, as after Redis was emptied,
 * would make every instance's share too large.
 */
const REMEMBERED = 10;

/** Counts the instances that share a Redis. `id` is this one's, and different from all others'. */
export function createInstances(id: string, heartbeat: RunScript, farewell: RunScript): Instances {
  const recent: number[] = [1];
  return {
    count: () => Math.max(...recent),
    async beat() {
      recent.push(Math.max(1, Number(await heartbeat([KEY], [id, ALIVE_MS]))));
      if (recent.length > REMEMBERED) recent.shift();
    },
    async leave() {
      await farewell([KEY], [id]);
    },
  };
}
