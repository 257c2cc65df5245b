import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { uuidv7 } from "../../src/kernel/random.ts";
import { manualClock, seededRandom } from "../../src/testing/index.ts";

describe("the testing kit", () => {
  it("has a clock that only moves when told", () => {
    const clock = manualClock(1_700_000_000_123);
    assert.equal(clock.now(), 1_700_000_000_123);
    clock.advance(877);
    assert.equal(clock.now(), 1_700_000_001_000);
  });

  it("has a random source that its seed repeats, and another seed does not", () => {
    const [first, again, other] = [seededRandom(7), seededRandom(7), seededRandom(8)];
    const bytes = first.bytes(64);
    assert.equal(bytes.length, 64);
    assert.deepEqual(again.bytes(64), bytes);
    assert.notDeepEqual(other.bytes(64), bytes);
    assert.notDeepEqual(first.bytes(64), bytes);
  });

  it("has a random source whose values do not repeat in a test's lifetime", () => {
    const random = seededRandom(0);
    const ids = new Set(Array.from({ length: 10_000 }, () => uuidv7(0, random)));
    assert.equal(ids.size, 10_000);
    const seen = new Set(random.bytes(4_096));
    assert.equal(seen.size, 256);
  });
});
