import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { openKeyring } from "../src/crypto/keyring.ts";
import { GENESIS, linkRecords } from "../src/identity/audit/chain.ts";
import { createStatementSigner } from "../src/identity/audit/statement.ts";
import { createTrail } from "../src/identity/audit/trail.ts";
import type { AuditEvent } from "../src/kernel/audit-event.ts";
import { systemClock } from "../src/kernel/clock.ts";
import { randomToken, systemRandom } from "../src/kernel/random.ts";
import { openStores, type Stores } from "../src/stores/open.ts";
import { toEntryRow } from "../src/stores/sql/audit-rows.ts";
import { sampleRecord } from "../src/testing/audit-samples.ts";

/** Entries to a commit, on either side. */
export const TOGETHER = 64;
/** Acts at once: while those of one commit wait for it, the others make the next. */
export const ACTS = 2 * TOGETHER;
const APPENDS = 64 * 240;
/** Before the clock runs, on either side: a connection and its thread are new, and have compiled nothing yet. */
const WARM_UP = 64 * 60;

export const signer = createStatementSigner(openKeyring({ current: randomToken(systemRandom, 64) }));
const EVENT: AuditEvent = {
  name: "auth.login.succeeded",
  atMs: 1_700_000_000_000,
  actor: { kind: "user", id: "018bcfe5-687b-7000-8000-000000000001", name: "alice" },
  outcome: "success",
  subject: "018bcfe5-687b-7000-8000-000000000001",
  requestId: "018bcfe5-687b-7000-8000-000000000002",
  address: "192.0.2.1",
  userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  method: "POST",
  path: "/auth/login",
};

export async function opened(path: string): Promise<Stores> {
  const stores = await openStores({ databaseUrl: `sqlite:${path}` });
  await stores.migrate();
  return stores;
}

/** Entries per second of `ACTS` acts at a time, each of which waits for its own entry. */
export async function trailRate(path: string): Promise<number> {
  const stores = await opened(path);
  const trail = createTrail({
    store: stores.audit,
    signer,
    clock: systemClock,
    announce: () => undefined,
    onFailure: (error) => console.error(error),
  });
  const append = async (entries: number) => {
    const act = async () => {
      for (let n = 0; n < entries / ACTS; n += 1) await trail.record(EVENT);
    };
    await Promise.all(Array.from({ length: ACTS }, act));
  };
  await append(WARM_UP);
  const beganMs = performance.now();
  await append(APPENDS);
  const rate = (APPENDS / (performance.now() - beganMs)) * 1000;
  await trail.close();
  await stores.close();
  return rate;
}

/** The same rows into the same table by a prepared statement, in transactions of `TOGETHER`: no chain, no waiting. */
export async function bareRate(path: string): Promise<number> {
  await (await opened(path)).close();
  const raw = new DatabaseSync(path);
  raw.exec("pragma synchronous = full");
  const rows = linkRecords(
    GENESIS,
    Array.from({ length: WARM_UP + APPENDS }, (_, n) => sampleRecord(n)),
  ).map((entry) => Object.values(toEntryRow(entry)) as SQLInputValue[]);
  const columns = Object.keys(toEntryRow(linkRecords(GENESIS, [sampleRecord(0)])[0]!));
  const insert = raw.prepare(
    `insert into audit_entries (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
  );
  const append = (from: number, to: number) => {
    for (let at = from; at < to; at += TOGETHER) {
      raw.exec("begin immediate");
      for (const row of rows.slice(at, at + TOGETHER)) insert.run(...row);
      raw.exec("commit");
    }
  };
  append(0, WARM_UP);
  const beganMs = performance.now();
  append(WARM_UP, WARM_UP + APPENDS);
  const rate = (APPENDS / (performance.now() - beganMs)) * 1000;
  raw.close();
  return rate;
}
