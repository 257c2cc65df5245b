import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Passwords } from "../../../src/crypto/password.ts";
import { createPasswords } from "../../../src/crypto/password.ts";
import { Refusal } from "../../../src/kernel/failure.ts";
import type { FromWorker, PasswordJob } from "../../../src/service/workers/messages.ts";
import type { RemotePasswords } from "../../../src/service/workers/remote-passwords.ts";
import { createRemotePasswords, servePasswords } from "../../../src/service/workers/remote-passwords.ts";

const PASSWORD = "correct horse battery staple";

/** A worker's passwords, their messages copied as between threads, and what ends the worker. */
function connect(passwords: Passwords): { remote: RemotePasswords; end(): void } {
  const server = servePasswords(passwords, (result) => remote.settle(structuredClone(result)));
  const remote = createRemotePasswords((message: FromWorker) => {
    const copy = structuredClone(message);
    if (copy.kind === "abandon") server.abandon(copy.id);
    else void server.run(copy as PasswordJob);
  });
  return { remote, end: server.abandonAll };
}

describe("remote passwords", () => {
  it("hash and verify as the other thread does", async () => {
    const { remote } = connect(createPasswords({ cost: 4 }));
    const hash = await remote.hash(PASSWORD);
    assert.deepEqual(await remote.verify(PASSWORD, hash), { ok: true, needsUpgrade: false });
    assert.deepEqual(await remote.verify("another", hash), { ok: false, needsUpgrade: false });
    assert.deepEqual(await remote.verify(PASSWORD, null), { ok: false, needsUpgrade: false });
    assert.equal(remote.pending, 0);
  });

  it("share one queue: of 30 at once by three workers, 6 are done where 1 runs and 5 may wait", async () => {
    const passwords = createPasswords({ cost: 4, concurrency: 1, maxQueued: 5 });
    const workers = [1, 2, 3].map(() => connect(passwords));
    const jobs = workers.flatMap(({ remote }) => Array.from({ length: 10 }, () => remote.hash(PASSWORD)));
    const settled = await Promise.allSettled(jobs);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 6);
    const refused = settled.filter((one) => one.status === "rejected").map((one) => one.reason as Refusal);
    assert.equal(refused.length, 24);
    for (const { problem } of refused) {
      assert.equal(problem.code, "overloaded");
      assert.equal(problem.headers![0], "retry-after");
    }
  });

  it("pass refusals on as refusals, and failures as failures", async () => {
    await assert.rejects(connect(createPasswords({ cost: 4 })).remote.hash("\ud800"), (error) => {
      assert.ok(error instanceof Refusal);
      assert.equal(error.problem.code, "validation_failed");
      assert.equal(error.problem.errors![0]!.field, "password");
      return true;
    });
    const broken: Passwords = {
      pending: 0,
      load: { waiting: 0, running: 0, refused: 0 },
      hash: () => Promise.reject(new Error("no more memory")),
      verify: () => Promise.reject(new Error("no more memory")),
    };
    await assert.rejects(connect(broken).remote.hash(PASSWORD), { message: "no more memory" });
  });

  it("give up a place in the queue, by the caller and for a worker that is gone", async () => {
    const passwords = createPasswords({ cost: 4, concurrency: 1, maxQueued: 5 });
    const { remote } = connect(passwords);
    const gone = connect(passwords);
    const controller = new AbortController();
    const first = remote.hash(PASSWORD);
    const second = remote.hash(PASSWORD, controller.signal);
    const third = gone.remote.hash(PASSWORD);
    third.catch(() => undefined);
    assert.equal(passwords.pending, 3);
    controller.abort(new Error("the client left"));
    await assert.rejects(second, { message: "the client left" });
    gone.end();
    assert.equal(passwords.pending, 1);
    await first;
    assert.equal(passwords.pending, 0);
    await assert.rejects(remote.hash(PASSWORD, controller.signal), { message: "the client left" });
  });
});
