import assert from "node:assert/strict";
import { it } from "node:test";
import { createRestarts } from "../../../src/service/workers/restarts.ts";

it("a worker that ends starts again ever later, and not for a fifth time within a minute", () => {
  const restarts = createRestarts();
  const delays = [0, 1000, 2000, 3000, 4000].map((nowMs) => restarts.noteEnd(nowMs));
  assert.deepEqual(delays, [100, 200, 400, 800, undefined]);
});

it("a worker that ends now and then starts again soon, for ever", () => {
  const restarts = createRestarts();
  for (let n = 0; n < 100; n++) assert.ok(restarts.noteEnd(n * 20_001)! <= 400);
});

it("a clock that is set back makes no loop of old ends", () => {
  const restarts = createRestarts();
  for (let n = 0; n < 4; n++) restarts.noteEnd(1_000_000);
  assert.equal(restarts.noteEnd(0), 100);
});
