import type { Challenge, ChallengeStore } from "../../identity/factors/challenge.ts";
import { Outage } from "../../kernel/failure.ts";
import type { Anchor, ChallengeAnchors } from "../challenge-anchors.ts";
import { CONSUME_SCRIPT, FIND_SCRIPT, OPEN_SCRIPT, TRY_SCRIPT } from "./challenge-scripts.ts";
import type { RedisConnection, RunScript } from "./connection.ts";

/** Encrypts what is kept in Redis, each for one place: whoever writes to Redis can make no challenge. */
export interface ChallengeSealing {
  seal(text: Uint8Array, place: string): string;
  /** `undefined` where no key sealed it, for this place. */
  open(sealed: string, place: string): Uint8Array | undefined;
}

export interface RedisChallengeOptions {
  readonly scripts: ChallengeScripts;
  readonly sealing: ChallengeSealing;
  /** What says, in the database, whether challenges were taken away. */
  readonly anchors: ChallengeAnchors;
}

export type ChallengeScripts = Readonly<Record<"open" | "find" | "try" | "consume", RunScript>>;

/** What is sealed: the challenge but for its tries, and what it hangs on. */
type Sealed = Omit<Challenge, "hash" | "tries"> & { readonly anchor: Anchor };

/** How much longer than a challenge its key is kept (ms): by then no clock takes it for good. */
const KEPT_LONGER_MS = 60_000;

/** The scripts of challenges, as a connection runs them. */
export function challengeScripts({ script }: Pick<RedisConnection, "script">): ChallengeScripts {
  return {
    open: script("kyrosChallengeOpen", OPEN_SCRIPT),
    find: script("kyrosChallengeFind", FIND_SCRIPT),
    try: script("kyrosChallengeTry", TRY_SCRIPT),
    consume: script("kyrosChallengeConsume", CONSUME_SCRIPT),
  };
}

/**
 * Challenges in Redis, each good while its anchor stands in the database. Rejects with an `Outage` of `redis` where that
 * does not answer in time. What is then carried out late takes away or counts too much, never too little: an `open`
 * that failed has lost its anchor, so that its challenge may be opened elsewhere.
 */
export function createRedisChallengeStore(options: RedisChallengeOptions): ChallengeStore {
  const { scripts, sealing, anchors } = options;

  async function run(script: RunScript, hash: string, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await script([keyOf(hash)], args);
    } catch (cause) {
      throw new Outage("redis", { cause });
    }
  }

  function read(value: unknown, hash: string): { challenge: Challenge; anchor: Anchor } | undefined {
    const parts = typeof value === "string" ? /^(\d+):\d+:(.+)$/.exec(value) : null;
    const text = parts && sealing.open(parts[2]!, placeOf(hash));
    if (!text) return undefined;
    const { anchor, ...sealed } = JSON.parse(Buffer.from(text).toString()) as Sealed;
    return { challenge: { ...sealed, hash, tries: Number(parts[1]) }, anchor };
  }

  async function standing(value: unknown, hash: string, nowMs: number): Promise<Challenge | undefined> {
    const found = read(value, hash);
    if (found === undefined || found.challenge.expiresAtMs <= nowMs) return undefined;
    return (await anchors.stands(found.anchor, nowMs)) ? found.challenge : undefined;
  }

  return {
    async open({ hash, tries, ...challenge }, nowMs) {
      const anchor = await anchors.of(challenge.userId, nowMs);
      const sealed: Sealed = { ...challenge, anchor };
      const text = sealing.seal(Buffer.from(JSON.stringify(sealed)), placeOf(hash));
      const keptMs = Math.max(0, challenge.expiresAtMs - nowMs) + KEPT_LONGER_MS;
      let reply: unknown;
      try {
        reply = await run(scripts.open, hash, [`${tries}:${challenge.expiresAtMs}:${text}`, keptMs]);
      } catch (error) {
        await anchors.drop(anchor, nowMs);
        throw error;
      }
      if (reply !== "OK") throw new Error("a challenge with this hash exists");
    },
    find: async (hash, nowMs) => standing(await run(scripts.find, hash, []), hash, nowMs),
    try: async (hash, nowMs, mostTries) =>
      standing(await run(scripts.try, hash, [nowMs, mostTries]), hash, nowMs),
    consume: async (hash, nowMs) => standing(await run(scripts.consume, hash, [nowMs]), hash, nowMs),
    cancelAll: (userId) => anchors.cancelAll(userId),
    purge: async () => 0,
  };
}

function keyOf(hash: string): string {
  return `kyros:challenge:${hash}`;
}

function placeOf(hash: string): string {
  return `challenge ${hash}`;
}
