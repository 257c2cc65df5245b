import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { createWhileBusy } from "../../src/stores/sql/sqlite-busy.ts";

/** What is locked until it is freed, and the virtual time that passes meanwhile. */
function locked(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const busy = Object.assign(new Error("database is locked"), { code: "ERR_SQLITE_ERROR", errcode: 5 });
  let isHeld = true;
  const whileBusy = createWhileBusy();
  return {
    write: () =>
      whileBusy(() => {
        if (isHeld) throw busy;
      }),
    free: () => {
      isHeld = false;
    },
    async pass(untilMs: number, isOver: () => boolean = () => false): Promise<number> {
      let passedMs = 0;
      for (; !isOver() && passedMs < untilMs; passedMs += 25) {
        await new Promise(setImmediate);
        context.mock.timers.tick(25);
      }
      return passedMs;
    },
  };
}

describe("waiting for a lock", () => {
  it("lasts five seconds, and ends with the error of the last attempt", async (context) => {
    const { write, pass } = locked(context);
    let error: unknown;
    void write().catch((cause) => {
      error = cause;
    });
    const waitedMs = await pass(20_000, () => error !== undefined);
    assert.ok(waitedMs >= 4_900 && waitedMs <= 6_000, `waited ${waitedMs} ms`);
    assert.match(String(error), /database is locked/);
  });

  it("is given up at once for as long again, and then has patience anew", async (context) => {
    const { write, free, pass } = locked(context);
    let isOver = false;
    void write().catch(() => {
      isOver = true;
    });
    await pass(20_000, () => isOver);
    await assert.rejects(write(), "while it is known to be held, nobody waits");

    await pass(6_000);
    let isWritten = false;
    const patient = write().then(() => {
      isWritten = true;
    });
    await pass(1_000, () => isWritten);
    assert.equal(isWritten, false);
    free();
    await pass(1_000, () => isWritten);
    await patient;
  });

  it("is for the lock alone: any other error is thrown at once", async () => {
    const broken = Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
    let attempts = 0;
    const failing = createWhileBusy()(() => {
      attempts++;
      throw broken;
    });
    await assert.rejects(failing, broken);
    assert.equal(attempts, 1);
  });
});
