import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBreaker } from "../../src/stores/breaker.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

function observed() {
  const changes: string[] = [];
  const clock = manualClock(0);
  const breaker = createBreaker({
    clock,
    onOpen: (cause) => changes.push(`open: ${(cause as Error).message}`),
    onClose: () => changes.push("closed"),
  });
  return { breaker, changes, clock };
}

const TROUBLE = new Error("trouble");

describe("breaker", () => {
  it("opens after three failures without a good probe between them, of calls and probes alike", () => {
    const { breaker, changes, clock } = observed();
    breaker.failed(TROUBLE);
    clock.advance(1000);
    breaker.probeFailed(TROUBLE);
    breaker.probeSucceeded();
    breaker.failed(TROUBLE);
    breaker.failed(TROUBLE);
    assert.equal(breaker.state(), "closed");
    clock.advance(100);
    breaker.probeFailed(TROUBLE);
    assert.equal(breaker.state(), "open");
    assert.deepEqual(changes, ["open: trouble"]);
    assert.deepEqual(breaker.counts(), { failures: 5, openings: 1 });
  });

  it("takes many failures of one moment for a hiccup", () => {
    const { breaker, clock } = observed();
    for (let i = 0; i < 1000; i++) breaker.failed(TROUBLE);
    clock.advance(99);
    breaker.failed(TROUBLE);
    breaker.probeSucceeded();
    clock.advance(1000);
    for (let i = 0; i < 1000; i++) breaker.failed(TROUBLE);
    assert.equal(breaker.state(), "closed");
    clock.advance(100);
    breaker.failed(TROUBLE);
    assert.equal(breaker.state(), "open");
  });

  it("closes after three probes in a row that succeed, and says each change once", () => {
    const { breaker, changes } = observed();
    breaker.open(TROUBLE);
    breaker.open(TROUBLE);
    breaker.probeSucceeded();
    assert.equal(breaker.state(), "half-open");
    breaker.probeSucceeded();
    breaker.probeFailed(TROUBLE);
    assert.equal(breaker.state(), "open");
    for (let i = 0; i < 2; i++) breaker.probeSucceeded();
    assert.equal(breaker.state(), "half-open");
    breaker.probeSucceeded();
    assert.equal(breaker.state(), "closed");
    assert.deepEqual(changes, ["open: trouble", "closed"]);
    assert.equal(breaker.counts().openings, 1);
  });

  it("takes no word from calls that were made before it opened", () => {
    const { breaker, changes } = observed();
    breaker.open(TROUBLE);
    for (let i = 0; i < 2; i++) breaker.probeSucceeded();
    breaker.failed(TROUBLE);
    breaker.probeSucceeded();
    assert.equal(breaker.state(), "closed");
    assert.deepEqual(changes, ["open: trouble", "closed"]);
  });
});
