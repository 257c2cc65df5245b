import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Challenge } from "../../src/identity/factors/challenge.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { sampleChallenge } from "../../src/testing/factor-samples.ts";
import { SAMPLE_NOW_MS as NOW_MS } from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import { openTwo, whileStopped } from "./redis-challenges.ts";
import { WITHOUT_REDIS } from "./redis-server.ts";

const DEADLINE_MS = 50;
const challenge = sampleChallenge(1);
const { hash } = challenge;

describe("challenges while Redis does not answer", { skip: WITHOUT_REDIS }, () => {
  it("begin in the database, and are answered there, once, when Redis has carried out what it was told", async (t) => {
    const users: readonly Challenge[] = [
      challenge,
      sampleChallenge(2, { purpose: "passkey_sign_in", userId: null, sessionKind: null }),
    ];
    for (const begun of users) {
      const opened = await openTwo(t, { deadlineMs: DEADLINE_MS });
      const { one, other, database, keys } = opened;
      await whileStopped(opened, () => one.challenges.open(begun, NOW_MS));
      assert.deepEqual(await database.find(begun.hash, NOW_MS), begun);
      await eventually(async () => assert.deepEqual(await keys(), [`kyros:challenge:${begun.hash}`]));
      assert.deepEqual(await other.challenges.find(begun.hash, NOW_MS), begun);
      assert.equal((await one.challenges.try(begun.hash, NOW_MS, 5))?.tries, 1);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).challenges.consume(begun.hash, NOW_MS)),
      );
      assert.equal(answers.filter((answer) => answer !== undefined).length, 1);
      // Not even where Redis gets the same again.
      assert.equal(await one.challenges.consume(begun.hash, NOW_MS), undefined);
    }
  });

  it("are refused where only Redis has them, and hang nobody", async (t) => {
    const opened = await openTwo(t, { deadlineMs: DEADLINE_MS });
    const { one, other } = opened;
    await one.challenges.open(challenge, NOW_MS);
    await whileStopped(opened, async () => {
      assert.equal(await one.challenges.find(hash, NOW_MS), undefined);
      assert.equal(await other.challenges.try(hash, NOW_MS, 5), undefined);
    });
    // A try that is carried out late counts, and takes nothing else away.
    await eventually(async () => assert.equal((await one.challenges.find(hash, NOW_MS))?.tries, 1));
  });

  it("are spent by an answer that came too late, for nobody", async (t) => {
    const opened = await openTwo(t, { deadlineMs: DEADLINE_MS });
    const { one, other, keys } = opened;
    await one.challenges.open(challenge, NOW_MS);
    await whileStopped(opened, async () => {
      assert.equal(await one.challenges.consume(hash, NOW_MS), undefined);
    });
    await eventually(async () => assert.deepEqual(await keys(), []));
    assert.equal(await other.challenges.consume(hash, NOW_MS), undefined);
  });

  it("are answered by the database alone once the breaker is open, by every instance", async (t) => {
    const { one, other, server } = await openTwo(t);
    one.breaker.open(new Error("away"));
    await one.challenges.open(challenge, NOW_MS);
    assert.equal((await other.challenges.try(hash, NOW_MS, 5))?.tries, 1, "found by who has Redis");
    await server.kill();
    assert.equal((await one.challenges.consume(hash, NOW_MS))?.hash, hash);
  });

  it("pass on an outage of the database, and never take it for one of Redis", async (t) => {
    const { one, database } = await openTwo(t);
    await one.challenges.open(challenge, NOW_MS);
    const down = async () => {
      throw new Outage("database");
    };
    const find = t.mock.method(database, "find", down);
    await assert.rejects(one.challenges.find(hash, NOW_MS), { dependency: "database" });
    await assert.rejects(one.challenges.open(sampleChallenge(2), NOW_MS), { dependency: "database" });
    assert.equal(one.breaker.counts().failures, 0);
    find.mock.restore();
    assert.deepEqual(await one.challenges.find(hash, NOW_MS), challenge);
  });

  it("leave no way in where the database fails as well while one is begun", async (t) => {
    const opened = await openTwo(t, { deadlineMs: DEADLINE_MS });
    const { one, other, database, server } = opened;
    await one.challenges.open(sampleChallenge(2), NOW_MS);
    await server.kill();
    t.mock.method(database, "consume", async () => {
      throw new Outage("database");
    });
    await assert.rejects(one.challenges.open(challenge, NOW_MS), { dependency: "database" });
    assert.equal(await other.challenges.find(hash, NOW_MS), undefined);
  });
});
