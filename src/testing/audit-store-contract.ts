import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuditQuery, AuditStore, Statement } from "../identity/audit/audit-store.ts";
import { GENESIS } from "../identity/audit/chain.ts";
import { toLink } from "../identity/audit/entry-line.ts";
import { verifyChain } from "../identity/audit/verify-chain.ts";
import { appendRecords, sampleRecord } from "./audit-samples.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenAudit = () => Promise<{ readonly audit: AuditStore; close(): Promise<void> }>;

function statement(kind: Statement["kind"], seq: number): Statement {
  const hash = sampleHash(`hash${seq}`);
  return { kind, seq, hash, atMs: NOW_MS + seq, publicKey: sampleHash("key"), signature: "signature" };
}

const samples = (count: number) => Array.from({ length: count }, (_, n) => sampleRecord(n));

/** Registers the cases that every `AuditStore` has to pass. */
export function auditStoreContract(open: OpenAudit): void {
  const withStore = withOpened(open);

  describe("an audit store", () => {
    it("begins empty, before the first entry", () =>
      withStore(async ({ audit }) => {
        assert.equal(await audit.head(), undefined);
        assert.deepEqual(await audit.entriesAfter(0, 10), []);
        assert.deepEqual(await audit.statements(), []);
        await audit.append((head) => {
          assert.deepEqual(head, GENESIS);
          return { entries: [], statements: [] };
        });
        assert.equal(await audit.head(), undefined);
      }));

    it("gives back what was appended, every field and any text, in order", () =>
      withStore(async ({ audit }) => {
        const odd = "\u2028 \u202e \u001b[2J \r\n \u{1f511} ' \" \\ ; -- \ufffd";
        const records = [
          sampleRecord(0, { subject: odd, userAgent: odd, path: odd, reason: odd, actorName: odd }),
          sampleRecord(1, {
            actorKind: "anonymous",
            actorId: null,
            actorName: null,
            subject: null,
            requestId: null,
            address: null,
            userAgent: null,
            method: null,
            path: null,
            reason: "",
            count: Number.MAX_SAFE_INTEGER,
            details: '{"a":1,"b":"\\u000a"}',
          }),
          ...Array.from({ length: 150 }, (_, n) => sampleRecord(2 + n)),
        ];
        await appendRecords(audit, records);
        const entries = await audit.entriesAfter(0, 1000);
        const bare = entries.map(({ seq, previousHash, hash, ...record }) => record);
        assert.deepEqual(bare, records);
        assert.deepEqual(
          entries.map(({ seq }) => seq),
          records.map((_, n) => n + 1),
        );
        assert.deepEqual(await audit.head(), { seq: records.length, hash: entries.at(-1)!.hash });
        assert.deepEqual(
          (await audit.entriesAfter(150, 1)).map(({ seq }) => seq),
          [151],
        );
        assert.deepEqual(await audit.entriesAfter(records.length, 10), []);
      }));

    it("never forks the chain, however many append at once", () =>
      withStore(async ({ audit }) => {
        const appends = Array.from({ length: 40 }, (_, n) => appendRecords(audit, samples(1 + (n % 3))));
        await Promise.all(appends);
        async function* all() {
          yield (await audit.entriesAfter(0, 1000)).map(toLink);
        }
        const verdict = await verifyChain(all(), { base: GENESIS, known: [] });
        assert.deepEqual(verdict.kind === "whole" && verdict.head, await audit.head());
      }));

    it("keeps nothing of an append whose link throws", () =>
      withStore(async ({ audit }) => {
        await appendRecords(audit, samples(1));
        const before = await audit.head();
        await assert.rejects(
          audit.append(() => {
            throw new Error("not this time");
          }),
          /not this time/,
        );
        assert.deepEqual(await audit.head(), before);
        await appendRecords(audit, samples(1));
        assert.equal((await audit.head())?.seq, 2);
      }));

    it("lists newest first, by each filter and all of them together, page by page", () =>
      withStore(async ({ audit }) => {
        // Instants run backwards now and then, as those of several instances do.
        const records = Array.from({ length: 60 }, (_, n) =>
          sampleRecord(n, {
            atMs: NOW_MS + (n % 7) * 10,
            type: n % 2 === 0 ? "auth.logout" : "user.created",
            subject: sampleId(n % 5),
          }),
        );
        await appendRecords(audit, records);
        const queries: Omit<AuditQuery, "limit">[] = [
          {},
          { type: "user.created" },
          { parties: [sampleId(2)] },
          { parties: [sampleId(4), sampleId(3)], type: "auth.logout" },
          { fromMs: NOW_MS + 10, toMs: NOW_MS + 40 },
          { parties: [sampleId(1)], type: "user.created", fromMs: NOW_MS + 20, toMs: NOW_MS + 60 },
          { parties: ["nobody"] },
        ];
        for (const query of queries) {
          const wanted = (await audit.entriesAfter(0, 1000))
            .filter(
              (entry) =>
                (query.type === undefined || entry.type === query.type) &&
                (query.parties === undefined ||
                  query.parties.some((party) => [entry.actorId, entry.subject].includes(party))) &&
                entry.atMs >= (query.fromMs ?? 0) &&
                entry.atMs < (query.toMs ?? Number.POSITIVE_INFINITY),
            )
            .sort((a, b) => b.atMs - a.atMs || b.seq - a.seq);
          const found = [];
          for (let page = await audit.list({ ...query, limit: 7 }); page.length > 0; ) {
            assert.ok(page.length <= 7);
            found.push(...page);
            page = await audit.list({ ...query, limit: 7, before: page.at(-1)! });
          }
          assert.deepEqual(found, wanted, JSON.stringify(query));
        }
      }));

    it("keeps statements in order of their number", () =>
      withStore(async ({ audit }) => {
        const statements = [statement("checkpoint", 1), statement("checkpoint", 2)];
        await audit.append(() => ({ entries: [], statements: [statements[1]!] }));
        await audit.append(() => ({ entries: [], statements: [statements[0]!] }));
        assert.deepEqual(await audit.statements(), statements);
      }));

    it("truncates entries and the statements on them, and goes on from its head", () =>
      withStore(async ({ audit }) => {
        await appendRecords(audit, samples(600));
        await audit.append(() => ({
          entries: [],
          statements: [10, 500, 501].map((seq) => statement("checkpoint", seq)),
        }));
        assert.equal(await audit.truncate(statement("truncation", 500)), 500);
        assert.deepEqual(await audit.statements(), [
          statement("truncation", 500),
          statement("checkpoint", 501),
        ]);
        const left = await audit.entriesAfter(0, 1000);
        assert.deepEqual([left[0]?.seq, left.length], [501, 100]);
        assert.deepEqual(
          (await audit.entriesAfter(550, 1)).map(({ seq }) => seq),
          [551],
        );
        await appendRecords(audit, samples(1));
        assert.equal((await audit.head())?.seq, 601);
        assert.equal(await audit.truncate(statement("truncation", 501)), 1);
        assert.deepEqual(await audit.statements(), [statement("truncation", 501)]);
      }));
  });
}
