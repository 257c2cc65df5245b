import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { MemoryStore } from "express-rate-limit";
import { createPrincipalLimit } from "../src/guards/rate-limit.ts";
import { Exchange } from "../src/kernel/exchange.ts";
import { PASS } from "../src/kernel/guard.ts";
import { systemRandom, uuidv7 } from "../src/kernel/random.ts";
import { PUBLIC_RULE } from "../src/kernel/rule.ts";
import { createMemoryLimiter } from "../src/stores/memory/memory-limiter.ts";
import { formatReport, type Report, type RunOptions } from "./report.ts";
import { createShuffle, median } from "./statistics.ts";

const CLIENTS = 100_000;
/** Requests that are made ready at a time: what a request brings is new, and in the processor's cache. */
const BATCH = 1000;
const NOW_MS = Date.UTC(2026, 0, 1);
const POLICY = { name: "default", limit: 1_000_000, windowMs: 3_600_000 };

/** Adds up what one of `CLIENTS` operations takes. */
class Stopwatch {
  #elapsedMs = 0;

  async time(operations: () => void | Promise<void>): Promise<void> {
    const beganMs = performance.now();
    await operations();
    this.#elapsedMs += performance.now() - beganMs;
  }

  lapNs(): number {
    const ns = (this.#elapsedMs * 1e6) / CLIENTS;
    this.#elapsedMs = 0;
    return ns;
  }
}

/** Makes one client's address a string that nobody has seen yet, as each request brings its own. */
function createAddress(i: number): string {
  return Buffer.from(`address:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`).toString("latin1");
}

/** Takes by us and by express-rate-limit's store. */
function createTakes() {
  const limiter = createMemoryLimiter();
  const store = new MemoryStore();
  store.init({ windowMs: POLICY.windowMs } as Parameters<MemoryStore["init"]>[0]);
  return {
    kyros(keys: readonly string[]): void {
      for (const key of keys) limiter.take(POLICY, key, NOW_MS);
    },
    async peer(keys: readonly string[]): Promise<void> {
      for (const key of keys) await store.increment(key);
    },
    close: () => store.shutdown(),
  };
}

/** The whole guard, and exchanges of users for it. */
function createGuarded() {
  const guard = createPrincipalLimit({ limiter: createMemoryLimiter(), policy: POLICY });
  const ids = Array.from({ length: CLIENTS }, () => uuidv7(NOW_MS, systemRandom));
  const view = {
    method: "GET",
    path: "/",
    target: "/",
    header: () => undefined,
    headerLines: () => [],
    peerAddress: "192.0.2.1",
    peerEncrypted: true,
  };
  const client = {
    address: "192.0.2.1",
    scheme: "https",
    host: "example.org",
    viaTrustedProxy: false,
  } as const;
  return {
    exchange(i: number): Exchange {
      const id = Buffer.from(ids[i]!).toString("latin1");
      const exchange = new Exchange(view, PUBLIC_RULE, "r", client, NOW_MS, []);
      const user = { id, username: "ada", email: null, role: "user" } as const;
      exchange.principal = {
        kind: "user",
        user,
        credential: "access_token",
        sessionId: id,
        authenticatedAtMs: NOW_MS,
        mfa: false,
      };
      return exchange;
    },
    check(exchanges: readonly Exchange[]): void {
      for (const exchange of exchanges) {
        if (guard.check(exchange) !== PASS) throw new Error("a request was refused");
      }
    },
  };
}

/** Two rounds more than asked for fill the tables and warm the code up. */
const WARMUP_ROUNDS = 2;

function batches(): number[][] {
  const clients = createShuffle(1)(Array.from({ length: CLIENTS }, (_, i) => i));
  return Array.from({ length: CLIENTS / BATCH }, (_, i) => clients.slice(i * BATCH, (i + 1) * BATCH));
}

/** Nanoseconds of a take in each round. */
async function measureTakes(rounds: number): Promise<{ kyros: number[]; peer: number[] }> {
  const takes = createTakes();
  const watches = { kyros: new Stopwatch(), peer: new Stopwatch() };
  const took = { kyros: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds + WARMUP_ROUNDS; round++) {
    for (const batch of batches()) {
      const ours = batch.map(createAddress);
      await watches.kyros.time(() => takes.kyros(ours));
      const theirs = batch.map(createAddress);
      await watches.peer.time(() => takes.peer(theirs));
    }
    took.kyros.push(watches.kyros.lapNs());
    took.peer.push(watches.peer.lapNs());
  }
  takes.close();
  return { kyros: took.kyros.slice(WARMUP_ROUNDS), peer: took.peer.slice(WARMUP_ROUNDS) };
}

/** Nanoseconds of the guard's check in each round. */
async function measureGuard(rounds: number): Promise<number[]> {
  const guarded = createGuarded();
  const watch = new Stopwatch();
  const took: number[] = [];
  for (let round = 0; round < rounds + WARMUP_ROUNDS; round++) {
    for (const batch of batches()) {
      const exchanges = batch.map(guarded.exchange);
      await watch.time(() => guarded.check(exchanges));
    }
    took.push(watch.lapNs());
  }
  return took.slice(WARMUP_ROUNDS);
}

function bytesPerClient(): number {
  const program = new URL("./limits-memory.ts", import.meta.url).pathname;
  return Number(execFileSync(process.execPath, ["--expose-gc", program], { encoding: "utf8", env: {} }));
}

export async function run({ rounds = 9 }: RunOptions = {}): Promise<Report> {
  const took = { ...(await measureTakes(rounds)), guard: await measureGuard(rounds) };
  const bytes = Array.from({ length: 3 }, bytesPerClient);
  const nanoseconds = (numbers: readonly number[]) => `${median(numbers).toFixed(0)} ns`;
  return {
    name: "limits",
    rows: [
      {
        what: "express-rate-limit's store",
        against: "memory limiter",
        ratio: median(took.peer) / median(took.kyros),
        goal: 2,
        unit: "time of a take at 100,000 clients",
      },
      {
        what: "principal limit and its headers",
        against: "1 µs",
        ratio: median(took.guard) / 1000,
        goal: 1,
        unit: "time of a request",
        bound: "atMost",
      },
      {
        what: "memory limiter",
        against: "1 B",
        ratio: median(bytes),
        goal: 45,
        unit: "resident memory of a client at 1,000,000",
        bound: "atMost",
      },
    ],
    measurements: {
      columns: ["measured", "median"],
      rows: [
        ["take, memory limiter", nanoseconds(took.kyros)],
        ["take, express-rate-limit's store", nanoseconds(took.peer)],
        ["principal limit and its headers", nanoseconds(took.guard)],
        ["resident memory of a client", `${median(bytes).toFixed(1)} B`],
      ],
      notes: [
        `Takes: ${CLIENTS} known addresses in random order, each in a fresh string; ${rounds} rounds, interleaved by ${BATCH} requests. The store's answer is a promise, awaited as its middleware does.`,
        "Memory: growth of a fresh process's resident set by a million clients, three processes.",
      ],
    },
  };
}

if (import.meta.main) {
  const loadBefore = loadavg()[0]!;
  console.log(formatReport(await run(), loadBefore));
}
