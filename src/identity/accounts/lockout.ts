/**
 * How often signing in under one user name has failed in a row, by password or second factor: from one place that it has signed in from before, or
 * from all other places together. Names without an account are counted alike, so that nothing tells which have one.
 */
export interface Lockout {
  /** A keyed hash of the canonical user name, base64url: what somebody types for a name may be a password. */
  readonly nameHash: string;
  /** A keyed hash of the known place, base64url; `ELSEWHERE` for all others. */
  readonly placeHash: string;
  /** Since the last success; tries that a lock refuses go on being counted, for the same work at each. */
  readonly failures: number;
  readonly lockedUntilMs: number | null;
  /** When the name last signed in from this place, to within a day; `null` elsewhere. */
  readonly signedInAtMs: number | null;
  /** From then on it is as if it had never been. */
  readonly expiresAtMs: number;
}

/** Where a name has not signed in from before. */
export const ELSEWHERE = "";

export interface LockoutPolicy {
  /** Failures in a row after which the name is locked. */
  readonly mostFailures: number;
  /** How long a lock holds, and how long failures elsewhere are remembered (ms). */
  readonly lockMs: number;
  /** How long a place stays known without another sign-in from there (ms). */
  readonly placeTtlMs: number;
}

export interface SignInAttempt extends LockoutPolicy {
  readonly nameHash: string;
  /** `null` where nobody vouches for an address: that is always elsewhere. */
  readonly placeHash: string | null;
  /** Whether what was tried was right, by now; `partly` where it was, and a second factor is still to come. */
  readonly proved: boolean | "partly";
  readonly atMs: number;
}

export type AttemptOutcome =
  /** Right, and not locked. */
  | "granted"
  /** Wrong, and counted. */
  | "failed"
  /** Wrong, and the one failure too many. */
  | "locked_now"
  /** Right or wrong: it does not count while the lock holds. */
  | "locked";

/** The port of lockouts. */
export interface LockoutStore {
  /**
   * Counts a tried password or factor and says whether it may count, in one atomic step: of any number at once, no more than
   * `mostFailures` have failed before one is granted.
   */
  settle(attempt: SignInAttempt): Promise<AttemptOutcome>;
  /** Forgets every failure of a name; known places stay known. Resolves to whether it was locked anywhere. */
  unlock(nameHash: string, nowMs: number): Promise<boolean>;
  /** Of these names, the ones that are locked anywhere, and until when at the latest. */
  lockedUntil(nameHashes: readonly string[], nowMs: number): Promise<ReadonlyMap<string, number>>;
  /** Removes what expired before the instant; returns how many. */
  purge(beforeMs: number): Promise<number>;
}

/** What an attempt comes to, and what it leaves behind. */
export interface JudgedAttempt {
  readonly outcome: AttemptOutcome;
  /** The row to write, by its two hashes; absent where nothing has changed. */
  readonly put?: Lockout;
  /** Whether the row of `ELSEWHERE` goes. */
  readonly forgetsElsewhere: boolean;
}

/** A place is noted again at most this often: each sign-in from home must not cost a write. */
const RENEW_EVERY_MS = 86_400_000;

/** What an attempt comes to, given the rows of its place and of elsewhere as they stand in one atomic step. */
export function judgeAttempt(
  attempt: SignInAttempt,
  placeRow: Lockout | undefined,
  elsewhereRow: Lockout | undefined,
): JudgedAttempt {
  const { atMs } = attempt;
  const place = placeRow !== undefined && atMs < placeRow.expiresAtMs ? placeRow : undefined;
  const elsewhere = elsewhereRow !== undefined && atMs < elsewhereRow.expiresAtMs ? elsewhereRow : undefined;
  const counted = place ?? elsewhere;
  const isLocked = isLockedAt(counted, atMs);
  // Half a success forgets nothing: else each right password would grant another hundred guesses of the factor.
  if (attempt.proved === "partly" && !isLocked) return { outcome: "granted", forgetsElsewhere: false };
  return attempt.proved === true && !isLocked
    ? { outcome: "granted", ...succeeded(attempt, place) }
    : failed(attempt, counted, isLocked);
}

/** Whether a lock holds at an instant. */
export function isLockedAt(lockout: Lockout | undefined, atMs: number): boolean {
  return lockout !== undefined && lockout.lockedUntilMs !== null && atMs < lockout.lockedUntilMs;
}

function succeeded(attempt: SignInAttempt, place: Lockout | undefined): Omit<JudgedAttempt, "outcome"> {
  const { nameHash, placeHash, atMs, placeTtlMs } = attempt;
  const forgetsElsewhere = place === undefined;
  if (placeHash === null) return { forgetsElsewhere };
  if (place?.failures === 0 && atMs - (place.signedInAtMs ?? 0) < RENEW_EVERY_MS) return { forgetsElsewhere };
  return {
    forgetsElsewhere,
    put: {
      nameHash,
      placeHash,
      failures: 0,
      lockedUntilMs: null,
      signedInAtMs: atMs,
      expiresAtMs: atMs + placeTtlMs,
    },
  };
}

function failed(attempt: SignInAttempt, counted: Lockout | undefined, isLocked: boolean): JudgedAttempt {
  const { nameHash, atMs, mostFailures, lockMs } = attempt;
  // A lock that is over starts the count afresh.
  const before =
    counted === undefined || (counted.lockedUntilMs !== null && !isLocked) ? 0 : counted.failures;
  const failures = before + 1;
  const locksNow = !isLocked && failures >= mostFailures;
  const lockedUntilMs = isLocked ? counted!.lockedUntilMs : locksNow ? atMs + lockMs : null;
  const signedInAtMs = counted?.signedInAtMs ?? null;
  const rememberedUntilMs =
    counted !== undefined && (isLocked || signedInAtMs !== null) ? counted.expiresAtMs : atMs + lockMs;
  return {
    outcome: isLocked ? "locked" : locksNow ? "locked_now" : "failed",
    forgetsElsewhere: false,
    put: {
      nameHash,
      placeHash: counted?.placeHash ?? ELSEWHERE,
      failures,
      lockedUntilMs,
      signedInAtMs,
      expiresAtMs: Math.max(rememberedUntilMs, lockedUntilMs ?? 0),
    },
  };
}
