import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Session } from "../src/identity/sessions/session.ts";
import { migrate } from "../src/stores/sql/migrate.ts";
import { createSqlSessionStore } from "../src/stores/sql/session-store.ts";
import type { SqliteDatabase } from "../src/stores/sql/sqlite.ts";
import { openSqlite } from "../src/stores/sql/sqlite.ts";
import { formatReport, type Report, type RunOptions } from "./report.ts";
import { median } from "./statistics.ts";

const FEW = 1_000;
const MANY = 1_000_000;
/** Lookups of one measurement: each of another session, so that none comes from the row cache. */
const SAMPLE = 500;
const REPEATS = 200;

interface Filled {
  readonly path: string;
  readonly ids: readonly string[];
  readonly secretHashes: readonly string[];
}

/** A database with `count` live sessions, and a sample of them in random order. */
async function fill(path: string, count: number): Promise<Filled> {
  const database = await openSqlite(path);
  await migrate(database.db);
  await database.close();
  const raw = new DatabaseSync(path);
  raw.exec(`
    insert into sessions (id, user_id, kind, secret_hash, user_agent, address, created_at_ms, last_seen_at_ms,
        authenticated_at_ms, expires_at_ms, idle_expires_at_ms, ended_at_ms)
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
      select printf('018bcfe5-687b-7000-8000-%012x', i), printf('018bcfe5-687b-7000-8001-%012x', i / 3), 'browser',
        substr(hex(randomblob(32)), 1, 43), 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        '192.0.2.1', 1700000000000 + i, 1700000000000 + i, 1700000000000 + i, 1800000000000 + i, 1790000000000 + i, null
      from n`);
  raw.exec("pragma wal_checkpoint(truncate)");
  const rows = raw
    .prepare("select id, secret_hash from sessions order by abs(random()) limit ?")
    .all(SAMPLE) as { id: string; secret_hash: string }[];
  raw.close();
  return { path, ids: rows.map(({ id }) => id), secretHashes: rows.map(({ secret_hash }) => secret_hash) };
}

/** Nanoseconds of one of `operations`. */
function timed(operations: number, run: () => void): number {
  const beganMs = performance.now();
  run();
  return ((performance.now() - beganMs) * 1e6) / operations;
}

function lookUp(keys: readonly string[], find: (key: string) => unknown): void {
  for (const key of keys) {
    if (find(key) === undefined) throw new Error("a session is missing");
  }
}

/** Lookups that the row cache cannot answer: the first of each session after opening. */
async function uncached({ path, ids, secretHashes }: Filled): Promise<{ byId: number; bySecret: number }> {
  const measure = async (keys: readonly string[], method: "findById" | "findBySecretHash") => {
    const database = await openSqlite(path);
    try {
      const { [method]: find } = createSqlSessionStore(database);
      // The connection's own page cache is warm in a running service; it does not hold a row of ours.
      const half = keys.length / 2;
      lookUp(keys.slice(0, half), find);
      return timed(half, () => lookUp(keys.slice(half), find));
    } finally {
      await database.close();
    }
  };
  return { byId: await measure(ids, "findById"), bySecret: await measure(secretHashes, "findBySecretHash") };
}

/** A prepared statement of `node:sqlite` by itself, as the least that any lookup in the file costs. */
function bare({ path, ids }: Filled): number {
  const raw = new DatabaseSync(path, { readOnly: true });
  const statement = raw.prepare("select * from sessions where id = ?");
  lookUp(ids, (id) => statement.get(id));
  const took = timed(ids.length, () => lookUp(ids, (id) => statement.get(id)));
  raw.close();
  return took;
}

function cachedHit(
  database: SqliteDatabase,
  keys: readonly string[],
  by: "findById" | "findBySecretHash",
): number {
  const { [by]: find } = createSqlSessionStore(database) as unknown as Record<
    typeof by,
    (key: string) => Session | undefined
  >;
  lookUp(keys, find);
  return timed(keys.length * REPEATS, () => {
    for (let n = 0; n < REPEATS; n += 1) lookUp(keys, find);
  });
}

function versionCheck(database: SqliteDatabase): number {
  const checks = 5_000;
  return timed(checks, () => {
    for (let n = 0; n < checks; n += 1) database.probe();
  });
}

const nanoseconds = (numbers: readonly number[]) => `${median(numbers).toFixed(0)} ns`;

/** What the reads of every request cost, and whether they stay as cheap with a million sessions. */
export async function run({ rounds = 9 }: RunOptions = {}): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "kyros-bench-"));
  try {
    const few = await fill(join(directory, "few.db"), FEW);
    const many = await fill(join(directory, "many.db"), MANY);
    const took: Record<string, number[]> = {};
    const note = (what: string, value: number) => {
      took[what] ??= [];
      took[what].push(value);
    };
    for (let round = 0; round < rounds; round += 1) {
      const database = await openSqlite(many.path);
      note("cached by id", cachedHit(database, many.ids, "findById"));
      note("cached by secret", cachedHit(database, many.secretHashes, "findBySecretHash"));
      note("version check", versionCheck(database));
      await database.close();
      note("bare statement", bare(few));
      for (const [size, filled] of [
        ["few", few],
        ["many", many],
      ] as const) {
        const { byId, bySecret } = await uncached(filled);
        note(`${size} by id`, byId);
        note(`${size} by secret`, bySecret);
      }
    }
    return toReport((what) => took[what]!);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function toReport(took: (what: string) => number[]): Report {
  const atMost = (what: string, against: string, ratio: number, goal: number | null, unit: string) =>
    ({ what, against, ratio, goal, unit, bound: "atMost" }) as const;
  const of = (what: string) => median(took(what));
  const [million, thousand] = ["1,000,000 sessions", "1,000 sessions"];
  return {
    name: "stores",
    rows: [
      atMost("cached session by id", "150 ns", of("cached by id") / 150, 1, "time of a lookup"),
      atMost("cached session by secret", "150 ns", of("cached by secret") / 150, 1, "time of a lookup"),
      atMost("version check", "3 µs", of("version check") / 3000, 1, "time of one, once a turn"),
      atMost("version check", "bare statement", of("version check") / of("bare statement"), 1, "time"),
      atMost(
        "uncached session",
        "bare statement",
        of("few by id") / of("bare statement"),
        null,
        "time of a lookup",
      ),
      atMost(million, thousand, of("many by id") / of("few by id"), 2, "time of an uncached lookup by id"),
      atMost(
        million,
        thousand,
        of("many by secret") / of("few by secret"),
        2,
        "time of an uncached one by secret",
      ),
    ],
    measurements: {
      columns: ["measured", "median"],
      rows: [
        ["cached session by id", nanoseconds(took("cached by id"))],
        ["cached session by secret", nanoseconds(took("cached by secret"))],
        ["version check (two file locks and a look at the log's header)", nanoseconds(took("version check"))],
        ["prepared statement of node:sqlite by itself", nanoseconds(took("bare statement"))],
        ["uncached session by id, of 1,000", nanoseconds(took("few by id"))],
        ["uncached session by id, of 1,000,000", nanoseconds(took("many by id"))],
        ["uncached session by secret, of 1,000", nanoseconds(took("few by secret"))],
        ["uncached session by secret, of 1,000,000", nanoseconds(took("many by secret"))],
      ],
      notes: [
        "Uncached: the first lookup of each of 250 random sessions after 250 others; each round opens the file anew.",
      ],
    },
  };
}

if (import.meta.main) {
  const loadBefore = loadavg()[0]!;
  console.log(formatReport(await run(), loadBefore));
}
