import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHashingQueue } from "../../src/crypto/hashing-queue.ts";
import { createPasswords } from "../../src/crypto/password.ts";
import { Refusal } from "../../src/kernel/failure.ts";

/** Jobs that end when they are told to, and the order in which they began. */
function createJobs() {
  const begun: number[] = [];
  const ends = new Map<number, PromiseWithResolvers<number>>();
  return {
    begun,
    job: (n: number) => () => {
      begun.push(n);
      const end = Promise.withResolvers<number>();
      ends.set(n, end);
      return end.promise;
    },
    finish: (n: number) => ends.get(n)!.resolve(n),
    fail: (n: number) => ends.get(n)!.reject(new Error(`job ${n}`)),
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const options = { concurrency: 2, maxQueued: 3, estimatedJobMs: 250 };

test("runs as many jobs at once as it may, and the others in the order they came", async () => {
  const queue = createHashingQueue(options);
  const jobs = createJobs();
  const results = [1, 2, 3, 4, 5].map((n) => queue.run(jobs.job(n)));
  await settled();
  assert.deepEqual(jobs.begun, [1, 2]);
  assert.equal(queue.pending, 5);
  for (const [finished, next] of [
    [2, 3],
    [1, 4],
    [4, 5],
  ] as const) {
    jobs.finish(finished);
    await settled();
    assert.equal(jobs.begun.at(-1), next);
  }
  jobs.finish(3);
  jobs.finish(5);
  assert.deepEqual(await Promise.all(results), [1, 2, 3, 4, 5]);
  assert.equal(queue.pending, 0);
});

test("refuses one job more than may wait, with a time to try again, and takes it once there is room", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 2, estimatedJobMs: 900 });
  const jobs = createJobs();
  const running = [1, 2, 3].map((n) => queue.run(jobs.job(n)));
  await assert.rejects(queue.run(jobs.job(4)), (error) => {
    assert.ok(error instanceof Refusal);
    assert.equal(error.problem.code, "overloaded");
    assert.equal(error.problem.status, 503);
    assert.deepEqual(error.problem.headers, ["retry-after", "3"]);
    return true;
  });
  assert.equal(queue.pending, 3);
  jobs.finish(1);
  await settled();
  running.push(queue.run(jobs.job(5)));
  for (const n of [2, 3, 5]) {
    await settled();
    jobs.finish(n);
  }
  assert.deepEqual(await Promise.all(running), [1, 2, 3, 5]);
});

test("the time to try again is at least a second", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 0, estimatedJobMs: 1 });
  const jobs = createJobs();
  const running = queue.run(jobs.job(1));
  await assert.rejects(
    queue.run(jobs.job(2)),
    (error) => error instanceof Refusal && error.problem.headers?.[1] === "1",
  );
  jobs.finish(1);
  await running;
});

test("a job that fails, at once or later, gives its slot back", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 1, estimatedJobMs: 1 });
  const jobs = createJobs();
  const failing = queue.run(jobs.job(1));
  jobs.fail(1);
  await assert.rejects(failing, /job 1/);
  const throwing = queue.run(() => {
    throw new Error("at once");
  });
  await assert.rejects(throwing, /at once/);
  assert.equal(queue.pending, 0);
  assert.equal(await queue.run(async () => "next"), "next");
});

test("who gives up while waiting leaves the queue, and those behind move up", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 2, estimatedJobMs: 1 });
  const jobs = createJobs();
  const aborter = new AbortController();
  const first = queue.run(jobs.job(1));
  const given = queue.run(jobs.job(2), aborter.signal);
  const third = queue.run(jobs.job(3));
  aborter.abort(new Error("gone"));
  await assert.rejects(given, /gone/);
  assert.equal(queue.pending, 2);
  const fourth = queue.run(jobs.job(4));
  for (const n of [1, 3, 4]) {
    await settled();
    jobs.finish(n);
  }
  await Promise.all([first, third, fourth]);
  assert.deepEqual(jobs.begun, [1, 3, 4]);
  assert.equal(queue.pending, 0);
});

test("who has given up before is not queued; who gives up once it runs keeps its slot to the end", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 2, estimatedJobMs: 1 });
  const jobs = createJobs();
  await assert.rejects(queue.run(jobs.job(1), AbortSignal.abort(new Error("gone"))), /gone/);
  assert.deepEqual([jobs.begun, queue.pending], [[], 0]);

  const aborter = new AbortController();
  const running = queue.run(jobs.job(2), aborter.signal);
  const waiting = queue.run(jobs.job(3));
  aborter.abort();
  await settled();
  assert.deepEqual(jobs.begun, [2]);
  jobs.finish(2);
  assert.equal(await running, 2);
  await settled();
  jobs.finish(3);
  assert.equal(await waiting, 3);
});

test("who waited, runs and then gives up takes nobody else out of the queue", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 2, estimatedJobMs: 1 });
  const jobs = createJobs();
  const aborter = new AbortController();
  const results = [queue.run(jobs.job(1)), queue.run(jobs.job(2), aborter.signal), queue.run(jobs.job(3))];
  jobs.finish(1);
  await settled();
  assert.deepEqual(jobs.begun, [1, 2]);
  aborter.abort(new Error("gone"));
  assert.equal(queue.pending, 2);
  for (const n of [2, 3]) {
    jobs.finish(n);
    await settled();
  }
  assert.deepEqual(await Promise.all(results), [1, 2, 3]);
});

test("a slot handed over in the very moment of giving up is not lost", async () => {
  const queue = createHashingQueue({ concurrency: 1, maxQueued: 2, estimatedJobMs: 1 });
  const jobs = createJobs();
  const aborter = new AbortController();
  const first = queue.run(jobs.job(1));
  const second = queue.run(jobs.job(2), aborter.signal);
  jobs.finish(1);
  await first;
  aborter.abort(new Error("gone"));
  await settled();
  if (jobs.begun.includes(2)) jobs.finish(2);
  await Promise.allSettled([second]);
  assert.equal(queue.pending, 0);
  assert.equal(await queue.run(async () => "next"), "next");
});

test("whatever comes, goes and gives up, the bounds hold and nothing is left over", async () => {
  const steps = fc.array(fc.constantFrom("run", "finish", "fail", "abort"), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      async (all, most, waits) => {
        const queue = createHashingQueue({ concurrency: most, maxQueued: waits, estimatedJobMs: 1 });
        const live: PromiseWithResolvers<void>[] = [];
        const aborters: AbortController[] = [];
        const results: Promise<unknown>[] = [];
        for (const step of [...all, ...Array(50).fill("finish")]) {
          if (step === "run") {
            const aborter = new AbortController();
            aborters.push(aborter);
            const job = () => {
              const end = Promise.withResolvers<void>();
              live.push(end);
              return end.promise;
            };
            results.push(Promise.allSettled([queue.run(job, aborter.signal)]));
          } else if (step === "abort") aborters.shift()?.abort();
          else if (step === "finish") live.shift()?.resolve();
          else live.shift()?.reject(new Error("failed"));
          for (let i = 0; i < 5; i++) await Promise.resolve();
          assert.ok(live.length <= most, `${live.length} at once`);
          assert.ok(queue.pending <= most + waits);
        }
        await Promise.all(results);
        assert.equal(queue.pending, 0);
      },
    ),
    { numRuns: 200 },
  );
});

test("passwords wait in such a queue", async () => {
  const passwords = createPasswords({ cost: 4, concurrency: 1, maxQueued: 1 });
  const hashing = passwords.hash("correct horse");
  const aborter = new AbortController();
  const verifying = passwords.verify("correct horse", null, aborter.signal);
  assert.equal(passwords.pending, 2);
  await assert.rejects(
    passwords.verify("correct horse", null),
    (error) => error instanceof Refusal && error.problem.code === "overloaded",
  );
  aborter.abort(new Error("gone"));
  await assert.rejects(verifying, /gone/);
  assert.match(await hashing, /^\$kyros1\$/);
  assert.equal(passwords.pending, 0);
});
