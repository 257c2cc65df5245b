import { availableParallelism } from "node:os";
import bcrypt from "bcrypt";
import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";
import type { HashingLoad } from "./hashing-queue.ts";
import { createHashingQueue } from "./hashing-queue.ts";
import { prepareHmac } from "./hmac.ts";

export { passwordFault } from "./password-fault.ts";

export interface PasswordOptions {
  /** log2 of bcrypt's rounds, 4 to 16. */
  readonly cost: number;
  /** How many hashes are computed at once; one fewer than there are cores unless told. */
  readonly concurrency?: number;
  /** How many may wait for that; 64 unless told. */
  readonly maxQueued?: number;
}

export interface PasswordVerdict {
  readonly ok: boolean;
  /** The password is right and its hash is not what `hash` would make today: store a new one. */
  readonly needsUpgrade: boolean;
}

/** Password hashing off the event loop. `signal` gives up a place in the queue. */
export interface Passwords {
  /** A hash to store. Rejects with `Refusal`: `validation_failed` for ill-formed UTF-16, `overloaded`. */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Whether this is the password of a stored hash; `null` stands for an unknown user and costs as much as a known one
   * (ASVS V6.3.8), as does a wrong password for a hash of another cost, from the first time that one is met. Rejects as
   * `hash` does.
   */
  verify(password: string, storedHash: string | null, signal?: AbortSignal): Promise<PasswordVerdict>;
  /** Hashes being computed and waiting. */
  readonly pending: number;
  readonly load: HashingLoad;
}

/**
 * What goes into bcrypt is base64 of HMAC-SHA-384 under this public constant: 64 characters without a NUL, so that all
 * of a password counts (bcrypt reads 72 bytes), and a plain SHA-384 leaked elsewhere is of no use here (OWASP Password
 * Storage Cheat Sheet, "password shucking"). Changing it makes every stored hash worthless.
 */
const PREHASH_KEY = "kyros/password/HMAC-SHA-384";

/** Marks a bcrypt hash over that; one without it came from elsewhere, over the password itself. */
const PREFIX = "$kyros1";

const BCRYPT_HASH = /^\$2[aby]\$([0-9]{2})(\$[./A-Za-z0-9]{53})$/;
const MIN_COST = 4;
/** About four seconds; a stored hash that asks for more would be a way to occupy a thread for hours. */
const MAX_COST = 16;
const COST_12_MS = 250;
const DEFAULT_MAX_QUEUED = 64;

const WRONG: PasswordVerdict = Object.freeze({ ok: false, needsUpgrade: false });

interface StoredHash {
  readonly cost: number;
  readonly isImported: boolean;
  readonly bcryptHash: string;
}

/** Hashes and verifies passwords with bcrypt at one cost (ASVS V11.4.2, V6.2.8). */
export function createPasswords(options: PasswordOptions): Passwords {
  const { cost } = options;
  if (!isCost(cost)) throw new RangeError(`the bcrypt cost must be ${MIN_COST} to ${MAX_COST}`);
  const queue = createHashingQueue({
    concurrency: options.concurrency ?? Math.max(1, availableParallelism() - 1),
    maxQueued: options.maxQueued ?? DEFAULT_MAX_QUEUED,
    estimatedJobMs: COST_12_MS * 2 ** (cost - 12),
  });
  const prehash = prepareHmac("sha384", Buffer.from(PREHASH_KEY), "base64");

  /** The highest cost there is, as far as it is known: a name without an account must not cost less than any other. */
  let highestCost = cost;

  async function judge(password: string, stored: StoredHash): Promise<PasswordVerdict> {
    highestCost = Math.max(highestCost, stored.cost);
    const ok = stored.isImported
      ? await matchesImported(password, stored.bcryptHash)
      : await bcrypt.compare(prehash(password), stored.bcryptHash);
    if (ok) return { ok, needsUpgrade: stored.isImported || stored.cost < cost };
    // 2^k + (2^k + 2^(k+1) + … + 2^(n-1)) = 2^n: a wrong password does not tell a hash of lower cost.
    for (let rest = stored.cost; rest < highestCost; rest++) await bcrypt.compare("", dummyHash(rest));
    return WRONG;
  }

  return {
    async hash(password, signal) {
      requireWellFormed(password);
      return PREFIX + (await queue.run(() => bcrypt.hash(prehash(password), cost), signal));
    },

    async verify(password, storedHash, signal) {
      requireWellFormed(password);
      const stored = storedHash === null ? undefined : readStoredHash(storedHash);
      return queue.run(async () => {
        if (stored !== undefined) return judge(password, stored);
        await bcrypt.compare(prehash(password), dummyHash(highestCost));
        return WRONG;
      }, signal);
    },

    get pending() {
      return queue.pending;
    },
    get load() {
      return queue.load;
    },
  };
}

/**
 * Judges by the password itself, as the system that made the hash did. So only the first 72 bytes of UTF-8 count, until
 * the upgrade that follows the first success; a NUL never matches, for bcrypt takes `a` and `a<NUL>a` for the same key.
 */
async function matchesImported(password: string, bcryptHash: string): Promise<boolean> {
  return (await bcrypt.compare(password, bcryptHash)) && !password.includes("\0");
}

/** What a stored text says; `undefined`, which no password matches, where it is not a hash that we would compute. */
function readStoredHash(text: string): StoredHash | undefined {
  const isImported = !text.startsWith(PREFIX);
  const match = BCRYPT_HASH.exec(isImported ? text : text.slice(PREFIX.length));
  if (match === null || !isCost(Number(match[1]))) return undefined;
  // One algorithm under three names; as "2a" our library would wrap the length of a password of 255 bytes.
  return { cost: Number(match[1]), isImported, bcryptHash: `$2b$${match[1]}${match[2]}` };
}

/** A hash of nothing known, which takes as long to compare with as any other of its cost. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, "0")}$${".".repeat(53)}`;
}

function isCost(cost: number): boolean {
  return Number.isInteger(cost) && cost >= MIN_COST && cost <= MAX_COST;
}

function requireWellFormed(password: string): void {
  if (password.isWellFormed()) return;
  const message = "The password holds a lone surrogate, which is not Unicode text";
  throw new Refusal(problem("validation_failed", message, { errors: [{ field: "password", message }] }));
}
