import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Random } from "../../src/kernel/random.ts";
import { drawnInBulk, systemRandom } from "../../src/kernel/random.ts";
import { createRequestIds } from "../../src/kernel/request-id.ts";

const NOW_MS = 1_750_000_000_000;

/** Bytes that count up from 0, so that each tells when it was drawn. */
function counting(): Random & { readonly draws: number[] } {
  let next = 0;
  const draws: number[] = [];
  return {
    draws,
    bytes(length) {
      draws.push(length);
      return Uint8Array.from({ length }, () => next++ % 251);
    },
  };
}

describe("request ids", () => {
  it("are UUIDs of version 7, unique and in order, also where one millisecond has thousands", () => {
    const nextId = createRequestIds(systemRandom);
    const ids = Array.from({ length: 30_000 }, (_, n) => nextId(NOW_MS + Math.floor(n / 10_000)));
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const instants = ids.map((id) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
    assert.deepEqual([...new Set(instants)], [NOW_MS, NOW_MS + 1, NOW_MS + 2]);
  });

  it("have another random tail in each millisecond", () => {
    const nextId = createRequestIds(systemRandom);
    const tails = Array.from({ length: 5_000 }, (_, n) => nextId(NOW_MS + n).slice(19));
    assert.equal(new Set(tails).size, tails.length);
  });
});

describe("bytes that are drawn in bulk", () => {
  it("are those that were drawn, each given once and to one alone", () => {
    const random = counting();
    const bulk = drawnInBulk(random);
    const given = Array.from({ length: 63 }, () => bulk.bytes(16));
    assert.deepEqual(
      given.flatMap((bytes) => [...bytes]),
      Array.from({ length: 1_008 }, (_, n) => n % 251),
    );
    assert.deepEqual(random.draws, [1024]);
    given[0]!.fill(0xff);
    assert.equal(given[1]![0], 16);
    assert.equal(bulk.bytes(17)[0], 1024 % 251, "what is left over is too little");
    assert.deepEqual(random.draws, [1024, 1024]);
  });

  it("are drawn on their own where they are more than a kibibyte", () => {
    const random = counting();
    assert.equal(drawnInBulk(random).bytes(5_000).length, 5_000);
    assert.deepEqual(random.draws, [5_000]);
  });
});
