import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { AuditQuery } from "../src/identity/audit/audit-store.ts";
import { GENESIS, linkRecords } from "../src/identity/audit/chain.ts";
import { toLink } from "../src/identity/audit/entry-line.ts";
import { verifyChain } from "../src/identity/audit/verify-chain.ts";
import { verifyStore } from "../src/identity/audit/verify-trail.ts";
import type { Stores } from "../src/stores/open.ts";
import { toEntryRow } from "../src/stores/sql/audit-rows.ts";
import { sampleRecord } from "../src/testing/audit-samples.ts";
import { formatReport, type Report, type RunOptions } from "./report.ts";
import { median } from "./statistics.ts";
import { ACTS, bareRate, opened, signer, TOGETHER, trailRate } from "./trail-appends.ts";

const VERIFIED = 100_000;
const MANY = 1_000_000;

/** Entries per second of the walk itself, from links in memory. */
async function verifyRate(): Promise<number> {
  const entries = linkRecords(
    GENESIS,
    Array.from({ length: VERIFIED }, (_, n) => sampleRecord(n)),
  );
  const beganMs = performance.now();
  async function* batches() {
    for (let at = 0; at < VERIFIED; at += 1000) yield entries.slice(at, at + 1000).map(toLink);
  }
  const verdict = await verifyChain(batches(), { base: GENESIS, known: [] });
  if (verdict.kind !== "whole") throw new Error(verdict.finding);
  return (VERIFIED / (performance.now() - beganMs)) * 1000;
}

/** A database of `count` chained entries, written past the store and indexed at the end, since that is not measured. */
async function fill(path: string, count: number): Promise<void> {
  await (await opened(path)).close();
  const raw = new DatabaseSync(path);
  raw.exec("pragma synchronous = off");
  const indexes = raw
    .prepare("select name, sql from sqlite_master where type = 'index' and name like 'audit_entries_%'")
    .all() as { name: string; sql: string }[];
  for (const { name } of indexes) raw.exec(`drop index ${name}`);
  const columns = Object.keys(toEntryRow(linkRecords(GENESIS, [sampleRecord(0)])[0]!));
  const insert = raw.prepare(
    `insert into audit_entries (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
  );
  const note = raw.prepare("insert into audit_statements values (?, ?, ?, ?, ?, ?)");
  const types = ["auth.login.succeeded", "auth.session.started", "auth.token.refreshed"] as const;
  let head = GENESIS;
  for (let at = 0; at < count; at += 1024) {
    const records = Array.from({ length: Math.min(1024, count - at) }, (_, n) =>
      sampleRecord(at + n, {
        type: (at + n) % 10_000 === 0 ? "user.disabled" : types[(at + n) % 3]!,
        actorId: `user${(at + n) % 100}`,
        subject: `user${(at + n) % 101}`,
      }),
    );
    const entries = linkRecords(head, records);
    raw.exec("begin");
    for (const entry of entries) insert.run(...(Object.values(toEntryRow(entry)) as SQLInputValue[]));
    head = entries.at(-1)!;
    if (head.seq % 1024 === 0) {
      const { kind, seq, hash, atMs, publicKey, signature } = signer.sign("checkpoint", head, 0);
      note.run(kind, seq, hash, atMs, publicKey, signature);
    }
    raw.exec("commit");
  }
  raw.prepare("update audit_head set seq = ?, hash = ?").run(head.seq, head.hash);
  for (const { sql } of indexes) raw.exec(sql);
  raw.close();
}

const START_MS = sampleRecord(0).atMs;
const PAGES: Readonly<Record<string, Omit<AuditQuery, "limit">>> = {
  newest: {},
  "of a rare type": { type: "user.disabled" },
  "of a user": { parties: ["user7"] },
  "of a user and a rare type": { parties: ["user0"], type: "user.disabled" },
  "of a type, in a span of time long ago": {
    type: "auth.session.started",
    fromMs: START_MS + 1000,
    toMs: START_MS + 90_000,
  },
  "of nobody": { parties: ["nobody"] },
};

/** The slowest page of all filters, in milliseconds: the first and one in the middle of each. */
async function slowestPage(stores: Stores): Promise<number> {
  let slowest = 0;
  for (const query of Object.values(PAGES)) {
    for (const before of [undefined, { atMs: START_MS + MANY / 2, seq: MANY / 2 }]) {
      const beganMs = performance.now();
      await stores.audit.list({ ...query, ...(before && { before }), limit: 51 });
      slowest = Math.max(slowest, performance.now() - beganMs);
    }
  }
  return slowest;
}

async function storeVerifyRate(stores: Stores, count: number): Promise<number> {
  const beganMs = performance.now();
  const verdict = await verifyStore(stores.audit, { publicKeys: signer.publicKeys });
  if (verdict.kind !== "whole" || verdict.entries !== count) throw new Error("the chain is not whole");
  return (count / (performance.now() - beganMs)) * 1000;
}

/** What the audit trail costs: writing it durably, verifying it, and a filtered page of a million entries. */
export async function run({ rounds = 5 }: RunOptions = {}): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "kyros-bench-"));
  try {
    const took = { trail: [0], bare: [0], verify: [0], page: [0], store: [0] };
    for (const numbers of Object.values(took)) numbers.pop();
    const path = join(directory, "many.db");
    await fill(path, MANY);
    for (let round = 0; round < rounds; round += 1) {
      took.bare.push(await bareRate(join(directory, `bare${round}.db`)));
      took.trail.push(await trailRate(join(directory, `trail${round}.db`)));
      took.verify.push(await verifyRate());
      const stores = await opened(path);
      await slowestPage(stores);
      took.page.push(await slowestPage(stores));
      if (round === 0) took.store.push(await storeVerifyRate(stores, MANY));
      await stores.close();
    }
    const of = (what: keyof typeof took) => median(took[what]);
    const rate = (what: keyof typeof took) => `${Math.round(of(what)).toLocaleString("en")} entries/s`;
    return {
      name: "trail",
      rows: [
        {
          what: "trail",
          against: "bare SQLite",
          ratio: of("trail") / of("bare"),
          goal: 0.8,
          unit: "durable entries/s",
        },
        {
          what: "verification",
          against: "200,000/s",
          ratio: of("verify") / 200_000,
          goal: 1,
          unit: "entries/s",
        },
        {
          what: "slowest filtered page",
          against: "20 ms",
          ratio: of("page") / 20,
          goal: 1,
          unit: "time at 10^6 entries",
          bound: "atMost",
        },
      ],
      measurements: {
        columns: ["measured", "median"],
        rows: [
          [`trail, ${ACTS} acts at once, each waiting for its entry`, rate("trail")],
          [`bare SQLite, ${TOGETHER} rows a commit, same table and indexes`, rate("bare")],
          ["verification of entries in memory, canonical form and hash", rate("verify")],
          ["verification of a database of 10^6, reading it as well", rate("store")],
          ["slowest of 12 filtered pages at 10^6 entries", `${of("page").toFixed(2)} ms`],
        ],
        notes: ["Both sides of the first row flush to the disk once a commit (synchronous = full)."],
      },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const loadBefore = loadavg()[0]!;
  console.log(formatReport(await run(), loadBefore));
}
