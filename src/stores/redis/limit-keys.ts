import type { LimitPolicy } from "../../kernel/limiter.ts";
import { createSipHash } from "../sip-hash.ts";

/** Where a counter is: its key, and which of the partitions that is in. */
export interface LimitKey {
  readonly text: string;
  readonly partition: number;
}

/**
 * Makes the keys of counters: `kyros:limit:{<partition>}:` and 128 bits of a keyed hash over the policy's name, its
 * numbers and the client's key. No user name and no address is to be read in Redis, or guessed without `hashKey` (16
 * bytes, the same on every instance). A partition is a hash tag: its keys are in one slot of a cluster.
 */
export function createLimitKeys(
  hashKey: Uint8Array,
  partitions: number,
): (policy: LimitPolicy, key: string) => LimitKey {
  const fingerprint = createSipHash(hashKey);
  const words = new Int32Array(4);
  const bytes = Buffer.from(words.buffer);
  return ({ name, limit, windowMs }, key) => {
    // The name's length tells where it ends, whatever it contains.
    fingerprint(`${limit}/${windowMs}/${name.length}/${name}/${key}`, words);
    const partition = (words[0]! >>> 0) % partitions;
    return { text: `kyros:limit:{${partition}}:${bytes.toString("base64url")}`, partition };
  };
}
