import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { sampleChallenge } from "../../src/testing/factor-samples.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleId } from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import type { RedisChallengesOptions } from "./redis-challenges.ts";
import { openRedisChallenges, openTwo, whileStopped } from "./redis-challenges.ts";
import { WITHOUT_REDIS } from "./redis-server.ts";

const challenge = sampleChallenge(1);
const { hash } = challenge;

describe("challenges in Redis", { skip: WITHOUT_REDIS }, () => {
  it("are no rows, begun at one instance and answered at another, once of many at once", async (t) => {
    const { database, one, other, keys } = await openTwo(t);
    await one.challenges.open(challenge, NOW_MS);
    assert.equal(await database.find(hash, NOW_MS), undefined);
    assert.equal((await keys()).length, 1);
    assert.deepEqual(await other.challenges.find(hash, NOW_MS), challenge);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => (n % 2 ? one : other).challenges.consume(hash, NOW_MS)),
    );
    assert.equal(answers.filter((answer) => answer !== undefined).length, 1);
    await eventually(async () => assert.deepEqual(await keys(), []));
  });

  it("are kept by Redis for their time and a minute, whatever it is there", async (t) => {
    const { server, one } = await openTwo(t);
    await one.challenges.open({ ...challenge, expiresAtMs: NOW_MS + 5000 }, NOW_MS);
    await one.challenges.try(hash, NOW_MS, 5);
    const keptMs = Number(await server.command("pttl", `kyros:challenge:${hash}`));
    assert.ok(keptMs > 30_000 && keptMs <= 65_000, String(keptMs));
  });

  it("show whoever reads Redis neither user nor session, and take nothing that others write", async (t) => {
    const { server, one, keys } = await openTwo(t);
    const boundTo = "session-of-alice";
    await one.challenges.open({ ...challenge, boundTo }, NOW_MS);
    const [key] = await keys();
    const value = String(await server.command("get", key!));
    const shown = key + value + Buffer.from(value.split(".")[2]!, "base64url").toString("latin1");
    for (const secret of [sampleId(0), boundTo, "second_step"]) assert.ok(!shown.includes(secret), secret);

    const own = JSON.stringify({ ...challenge, purpose: "second_step", userId: sampleId(9) });
    const forged = [
      `0:${challenge.expiresAtMs}:${own}`,
      `0:${challenge.expiresAtMs}:${Buffer.from(own).toString("base64url")}`,
      "nonsense",
      "",
    ];
    for (const text of forged) {
      await server.command("set", key!, text);
      assert.equal(await one.challenges.find(hash, NOW_MS), undefined, text);
      assert.equal(await one.challenges.try(hash, NOW_MS, 5), undefined, text);
      assert.equal(await one.challenges.consume(hash, NOW_MS), undefined, text);
    }
    // Of another challenge, and good for longer than was sealed.
    const other = sampleChallenge(2).hash;
    await server.command("set", `kyros:challenge:${other}`, value);
    assert.equal(await one.challenges.consume(other, NOW_MS), undefined);
    await server.command("set", key!, value.replace(/:\d+:/, `:${NOW_MS + 86_400_000}:`));
    assert.notEqual(await one.challenges.find(hash, NOW_MS), undefined);
    assert.equal(await one.challenges.find(hash, challenge.expiresAtMs), undefined);
    assert.equal(await one.challenges.consume(hash, challenge.expiresAtMs), undefined);
  });

  it("outlive a change of the secret that keeps the former one, and no other", async (t) => {
    const [former, current] = [generateSecret(systemRandom), generateSecret(systemRandom)];
    const { server, database, one } = await openTwo(t, { secret: former });
    await one.challenges.open(challenge, NOW_MS);
    const instance = async (options: RedisChallengesOptions) => {
      const opened = await openRedisChallenges([server.url], { database, ...options });
      t.after(opened.close);
      return opened.challenges;
    };
    assert.equal(await (await instance({ secret: current })).find(hash, NOW_MS), undefined);
    const rotated = await instance({ secret: current, previous: [former] });
    assert.deepEqual(await rotated.consume(hash, NOW_MS), challenge);
  });

  it("cost the database one row of each user and day", async (t) => {
    const { one, other, database } = await openTwo(t);
    const opened = t.mock.method(database, "open");
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).challenges.open(sampleChallenge(n), NOW_MS)),
    );
    const texts = await Promise.all(
      Array.from({ length: 40 }, (_, n) => one.challenges.find(sampleChallenge(n).hash, NOW_MS)),
    );
    assert.equal(texts.filter((found) => found !== undefined).length, 40);
    const before = opened.mock.callCount();
    await one.challenges.open(sampleChallenge(50), NOW_MS);
    assert.equal(opened.mock.callCount(), before);
  });
});

describe("challenges that are taken away", { skip: WITHOUT_REDIS }, () => {
  it("are gone in Redis, though whoever takes them away has never heard of it", async (t) => {
    const { one, other, database } = await openTwo(t);
    const others = sampleChallenge(3, { userId: sampleId(5) });
    await one.challenges.open(challenge, NOW_MS);
    await one.challenges.open(others, NOW_MS);
    await database.cancelAll(sampleId(0));
    for (const { challenges } of [one, other]) {
      assert.equal(await challenges.find(hash, NOW_MS), undefined);
      assert.equal(await challenges.try(hash, NOW_MS, 5), undefined);
    }
    // Those that are begun afterwards bring none of them back.
    await other.challenges.open(sampleChallenge(2), NOW_MS);
    assert.equal(await one.challenges.consume(hash, NOW_MS), undefined);
    assert.notEqual(await one.challenges.consume(sampleChallenge(2).hash, NOW_MS), undefined);
    assert.notEqual(await one.challenges.consume(others.hash, NOW_MS), undefined);
  });

  it("stay gone when Redis is back, where it could not be asked", async (t) => {
    const opened = await openTwo(t, { deadlineMs: 50 });
    const { one, other } = opened;
    await one.challenges.open(challenge, NOW_MS);
    await whileStopped(opened, () => one.challenges.cancelAll(sampleId(0)));
    for (const { challenges } of [one, other]) {
      assert.equal(await challenges.find(hash, NOW_MS), undefined);
      assert.equal(await challenges.consume(hash, NOW_MS), undefined);
    }
  });

  it("are gone also where they were being begun or answered at that moment", async (t) => {
    const { one, other } = await openTwo(t);
    for (let round = 0; round < 20; round++) {
      const begun = Array.from({ length: 10 }, (_, n) => sampleChallenge(100 * (round + 1) + n));
      const [early, late] = [begun.slice(0, 5), begun.slice(5)];
      for (const next of early) await one.challenges.open(next, NOW_MS);
      let isCancelled = false;
      const [, answers] = await Promise.all([
        other.challenges.cancelAll(sampleId(0)).then(() => {
          isCancelled = true;
        }),
        Promise.all(
          early.map(async ({ hash }) => {
            const startedAfter = isCancelled;
            return { startedAfter, taken: await one.challenges.consume(hash, NOW_MS) };
          }),
        ),
        ...late.map((next) => one.challenges.open(next, NOW_MS)),
      ]);
      for (const { startedAfter, taken } of answers) assert.ok(!(startedAfter && taken));
      for (const { hash } of early) assert.equal(await other.challenges.find(hash, NOW_MS), undefined);
      await one.challenges.cancelAll(sampleId(0));
      for (const { hash } of begun) assert.equal(await other.challenges.consume(hash, NOW_MS), undefined);
    }
  });
});
