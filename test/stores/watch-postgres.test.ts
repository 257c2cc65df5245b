import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import pg from "pg";
import { Outage } from "../../src/kernel/failure.ts";
import type { Breaker } from "../../src/stores/breaker.ts";
import { createBreaker } from "../../src/stores/breaker.ts";
import { withinDeadline } from "../../src/stores/deadline.ts";
import { createPostgresGate } from "../../src/stores/sql/postgres-gate.ts";
import { watchPostgres } from "../../src/stores/sql/watch-postgres.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

type Answer = () => Promise<void>;

const answers: Answer = async () => {};
const refuses: Answer = () => Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
const late: unknown = await withinDeadline(new Promise<void>(() => {}), 1).catch((error: unknown) => error);
const isLate: Answer = () => Promise.reject(late);

function reports(code: string): Answer {
  return () => Promise.reject(Object.assign(new pg.DatabaseError("no", 0, "error"), { code }));
}

describe("the watch over PostgreSQL", () => {
  let answer: Answer;
  let asked: number[];
  let changes: string[];
  let breaker: Breaker;
  let pass: (ms: number) => Promise<void>;
  beforeEach((t) => {
    const { timers } = (t as unknown as { mock: typeof import("node:test").mock }).mock;
    const clock = manualClock(0);
    const settle = setImmediate;
    timers.enable({ apis: ["setTimeout"] });
    [answer, asked, changes] = [answers, [], []];
    breaker = createBreaker({
      clock,
      onOpen: () => changes.push("open"),
      onClose: () => changes.push("closed"),
    });
    watchPostgres({
      breaker,
      ask(withinMs) {
        asked.push(withinMs);
        return answer();
      },
    });
    pass = async (ms) => {
      for (let passed = 0; passed < ms; passed += 10) {
        clock.advance(10);
        timers.tick(10);
        // What an answer causes comes after a turn, and with a deadline after two.
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => settle(resolve));
      }
    };
  });

  it("asks all the time, and opens nothing while the server answers", async () => {
    await pass(10_000);
    assert.ok(asked.length >= 30, String(asked.length));
    assert.equal(breaker.state(), "closed");
    assert.deepEqual(breaker.counts(), { failures: 0, openings: 0 });
  });

  it("opens at one answer that does not come, and closes about a second after they come again", async () => {
    answer = isLate;
    await pass(300);
    assert.equal(breaker.state(), "open");
    await pass(3000);
    assert.ok(asked.at(-1)! < asked[0]!, "asked less patiently while it is open");
    answer = answers;
    await pass(1000);
    assert.equal(breaker.state(), "closed");
    assert.deepEqual(changes, ["open", "closed"]);
  });

  it("takes one lost connection for a hiccup, and refusals that go on for an outage", async () => {
    let lost = 0;
    answer = () => (lost++ === 0 ? refuses() : answers());
    await pass(2000);
    assert.deepEqual(changes, []);
    answer = refuses;
    await pass(600);
    assert.deepEqual(changes, ["open"]);
  });

  it("opens where the server says that it goes down, not where it has no connection to spare", async () => {
    answer = reports("53300");
    await pass(5000);
    assert.deepEqual(changes, []);
    answer = reports("57P03");
    await pass(600);
    assert.deepEqual(changes, ["open"]);
    answer = reports("53300");
    await pass(5000);
    assert.deepEqual(changes, ["open"]);
  });
});

describe("the gate before PostgreSQL", () => {
  it("ends at once what is under way when it shuts, begins nothing meanwhile, and opens again", async () => {
    const gate = createPostgresGate();
    const never = Array.from({ length: 200 }, () => gate.through(() => new Promise(() => {})));
    gate.shut(new Error("no reply"));
    for (const one of await Promise.allSettled(never)) {
      assert.ok(one.status === "rejected" && one.reason instanceof Outage);
    }
    let begun = 0;
    const work = async () => ++begun;
    await assert.rejects(gate.through(work), Outage);
    assert.equal(begun, 0);
    gate.reopen();
    assert.equal(await gate.through(work), 1);
  });

  it("hands on what becomes of the work", async () => {
    const gate = createPostgresGate();
    assert.equal(await gate.through(async () => 42), 42);
    await assert.rejects(
      gate.through(() => Promise.reject(new Error("its own"))),
      /its own/,
    );
  });
});
