import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuditEntry, AuditRecord } from "../../src/identity/audit/audit-store.ts";
import { GENESIS, linkRecords } from "../../src/identity/audit/chain.ts";
import { toLink } from "../../src/identity/audit/entry-line.ts";
import type { Verdict, VerifyOptions } from "../../src/identity/audit/verify-chain.ts";
import { verifyChain } from "../../src/identity/audit/verify-chain.ts";
import { sampleRecord } from "../../src/testing/audit-samples.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const LENGTH = 40;
const MUTATIONS = 10_000;
const chain = linkRecords(
  GENESIS,
  Array.from({ length: LENGTH }, (_, n) => sampleRecord(n)),
);
const HEAD = chain.at(-1)!;

async function verify(entries: readonly AuditEntry[], parts: Partial<VerifyOptions> = {}): Promise<Verdict> {
  async function* batches() {
    for (let i = 0; i < entries.length; i += 7) yield entries.slice(i, i + 7).map(toLink);
  }
  return verifyChain(batches(), { base: GENESIS, known: [], ...parts });
}

async function faultOf(entries: readonly AuditEntry[], parts: Partial<VerifyOptions> = {}) {
  const verdict = await verify(entries, parts);
  return verdict.kind === "broken" ? ([verdict.fault, verdict.seq] as const) : verdict.kind;
}

describe("verification", () => {
  it("finds a chain whole, and says how long", async () => {
    assert.deepEqual(await verify(chain, { known: [HEAD] }), {
      kind: "whole",
      entries: LENGTH,
      base: GENESIS,
      head: { seq: LENGTH, hash: HEAD.hash },
    });
    assert.equal((await verify([])).kind, "whole");
    assert.equal((await verify(chain.slice(10), { base: chain[9]! })).kind, "whole");
  });

  it("names what was altered, missing, swapped, inserted or cut off", async () => {
    const altered = chain.with(4, { ...chain[4]!, reason: "nothing to see" });
    const swapped = chain.with(4, chain[5]!).with(5, chain[4]!);
    assert.deepEqual(await faultOf(altered), ["altered", 5]);
    assert.deepEqual(await faultOf(chain.toSpliced(4, 1)), ["missing", 5]);
    assert.deepEqual(await faultOf(chain.toSpliced(0, 3)), ["missing", 1]);
    assert.deepEqual(await faultOf(swapped), ["swapped", 5]);
    assert.deepEqual(await faultOf(chain.toSpliced(4, 0, chain[1]!)), ["inserted", 2]);
    assert.deepEqual(await faultOf(chain.toSpliced(5, 0, chain[4]!)), ["inserted", 5]);
    assert.deepEqual(await faultOf(chain.slice(0, -2), { known: [HEAD] }), ["truncated", LENGTH - 1]);
    assert.deepEqual(await faultOf([], { known: [HEAD] }), ["truncated", 1]);
  });

  it("finds an entry that was made to fit the one before it, by the one after it", async () => {
    const forged = linkRecords(chain[3]!, [sampleRecord(4, { subject: "somebody else" })]);
    assert.deepEqual(await faultOf(chain.with(4, forged[0]!)), ["altered", 6]);
  });

  it("finds a chain that was written anew, by a point that is known of the old one", async () => {
    const anew = linkRecords(
      chain[3]!,
      Array.from({ length: LENGTH }, (_, n) => sampleRecord(n + 90)),
    );
    const rewritten = [...chain.slice(0, 4), ...anew];
    assert.equal((await verify(rewritten)).kind, "whole");
    assert.deepEqual(await faultOf(rewritten, { known: [chain[29]!] }), ["rewritten", 30]);
    assert.deepEqual(await faultOf(chain.slice(10), { base: { ...chain[9]!, hash: HEAD.hash } }), [
      "altered",
      11,
    ]);
  });

  it(`finds each of ${MUTATIONS} random mutations`, async () => {
    const random = seededRandom(20261124);
    const upTo = (most: number) => new DataView(random.bytes(4).buffer).getUint32(0) % most;
    const kinds = { alter: 0, remove: 0, swap: 0, insert: 0, double: 0 };
    for (let n = 0; n < MUTATIONS; n += 1) {
      const kind = Object.keys(kinds)[upTo(5)] as keyof typeof kinds;
      kinds[kind] += 1;
      const at = upTo(LENGTH);
      const mutated = mutate(kind, at, upTo);
      const fault = await faultOf(mutated, { known: [HEAD] });
      assert.notEqual(fault, "whole", `${kind} at ${at}`);
      // Named where it happened, or, for a forgery that is whole in itself, by the entry that it cuts off.
      const seq = (fault as readonly [string, number])[1];
      assert.ok(seq >= 1 && seq <= at + 2, `${kind} at entry ${at + 1} was named ${fault}`);
    }
    assert.ok(Object.values(kinds).every((count) => count > 1000));
  });
});

function mutate(
  kind: "alter" | "remove" | "swap" | "insert" | "double",
  at: number,
  upTo: (most: number) => number,
): readonly AuditEntry[] {
  const entry = chain[at]!;
  switch (kind) {
    case "alter": {
      const fields = Object.keys(entry) as (keyof AuditEntry)[];
      const field = fields[upTo(fields.length)]!;
      return chain.with(at, { ...entry, [field]: changed(entry[field], upTo) });
    }
    case "remove":
      return chain.toSpliced(at, 1);
    case "swap": {
      const other = (at + 1 + upTo(LENGTH - 1)) % LENGTH;
      const [first, second] = [Math.min(at, other), Math.max(at, other)];
      return chain.with(first, chain[second]!).with(second, chain[first]!);
    }
    case "insert": {
      const forged = sampleRecord(upTo(1000)) as AuditRecord;
      const previous = at === 0 ? GENESIS : chain[at - 1]!;
      return chain.toSpliced(at, 0, linkRecords(previous, [forged])[0]!);
    }
    case "double":
      return chain.toSpliced(at + 1, 0, entry);
  }
}

/** Another value of the same kind: one character or number off, or something where nothing was. */
function changed(value: AuditEntry[keyof AuditEntry], upTo: (most: number) => number): unknown {
  if (typeof value === "number") return value + 1 + upTo(9);
  if (value === null || value === "") return "x";
  const at = upTo(value.length);
  const letter = value[at] === "x" ? "y" : "x";
  return value.slice(0, at) + letter + value.slice(at + 1);
}
