import type { Challenge, ChallengeStore } from "../identity/factors/challenge.ts";
import type { Random } from "../kernel/random.ts";
import { randomToken } from "../kernel/random.ts";

/** What challenges outside the database hang on: a row in it, and the random text that it holds. */
export interface Anchor {
  readonly hash: string;
  readonly text: string;
}

/**
 * One row for the challenges that one user begins in a day, wherever these are kept; those of nobody hang on a row of
 * the instance. Whoever removes the row takes them all away, for good: another row has another text. So they go where
 * the challenges in the database go, in the same statement, and whether or not what keeps them can be reached.
 */
export interface ChallengeAnchors {
  of(userId: string | null, nowMs: number): Promise<Anchor>;
  stands(anchor: Anchor, nowMs: number): Promise<boolean>;
  /** Takes away what hangs on this one. */
  drop(anchor: Anchor, nowMs: number): Promise<void>;
  /** Takes away what hangs on any of a user's. */
  cancelAll(userId: string): Promise<void>;
}

const DAY_MS = 86_400_000;

/** Anchors among the challenges of a database. `instanceId` is different from all others'. */
export function createChallengeAnchors(
  database: ChallengeStore,
  random: Random,
  instanceId: string,
): ChallengeAnchors {
  async function stands({ hash, text }: Anchor, nowMs: number): Promise<boolean> {
    return (await database.find(hash, nowMs))?.boundTo === text;
  }

  return {
    async of(userId, nowMs) {
      const day = Math.floor(nowMs / DAY_MS);
      // No digest reads like this, so that nobody can show what leads to it.
      const hash = `anchor:${userId ?? instanceId}:${day}`;
      const known = await database.find(hash, nowMs);
      if (known !== undefined) return { hash, text: known.boundTo! };
      const text = randomToken(random);
      try {
        // A day longer than anything that hangs on it is begun, and far longer than that is good for.
        await database.open(anchorRow(hash, userId, text, (day + 2) * DAY_MS), nowMs);
        return { hash, text };
      } catch (error) {
        const others = await database.find(hash, nowMs);
        if (others === undefined) throw error;
        return { hash, text: others.boundTo! };
      }
    },
    stands,
    async drop(anchor, nowMs) {
      if (await stands(anchor, nowMs)) await database.consume(anchor.hash, nowMs);
    },
    cancelAll: (userId) => database.cancelAll(userId),
  };
}

function anchorRow(hash: string, userId: string | null, text: string, expiresAtMs: number): Challenge {
  return {
    hash,
    purpose: "anchor",
    userId,
    boundTo: text,
    sessionKind: null,
    passwordChangedAtMs: 0,
    roleChangedAtMs: 0,
    tries: 0,
    expiresAtMs,
  };
}
