import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import type { OverrideStore, Overrides } from "../../src/identity/settings/override-store.ts";
import type { Awaitable } from "../../src/kernel/awaitable.ts";
import { isPending } from "../../src/kernel/awaitable.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { createLiveSettings } from "../../src/service/live-settings.ts";
import { production } from "../config/environments.ts";

const FIVE: Overrides = { rate_limit: { value: "5/1m", changedAtMs: 1, changedBy: null } };

function live(environment = loadSettings({})) {
  const failures: unknown[] = [];
  const levels: string[] = [];
  let answer: () => Awaitable<Overrides> = () => ({});
  const store: OverrideStore = { current: () => answer(), change: () => assert.fail("not asked for") };
  const settings = createLiveSettings({
    environment,
    store,
    onChange: ({ logLevel }) => levels.push(logLevel),
    onFailure: (error) => failures.push(error),
  });
  return { settings, failures, levels, answerWith: (next: () => Awaitable<Overrides>) => (answer = next) };
}

describe("live settings", () => {
  it("come at once, as the same policy until they change", () => {
    const { settings, levels, answerWith } = live();
    const before = settings.rateLimit();
    assert.deepEqual(before, { name: "default", limit: 100, windowMs: 900_000 });
    assert.equal(settings.rateLimit(), before);
    answerWith(() => FIVE);
    const after = settings.rateLimit();
    assert.deepEqual(after, { name: "default", limit: 5, windowMs: 60_000 });
    answerWith(() => structuredClone(FIVE));
    assert.equal(settings.rateLimit(), after, "read anew, but the same");
    assert.deepEqual(levels, ["info"], "told once a change");
    answerWith(() => ({}));
    assert.deepEqual(settings.rateLimit(), before);
  });

  it("stay what they were while the database is away, and follow it afterwards", async () => {
    const { settings, failures, answerWith } = live();
    answerWith(() => FIVE);
    const known = settings.rateLimit();
    answerWith(() => {
      throw new Outage("database");
    });
    assert.equal(settings.rateLimit(), known);
    answerWith(() => Promise.reject(new Outage("database")));
    assert.equal(await settings.rateLimit(), known);
    answerWith(() => ({}));
    assert.notEqual(await settings.rateLimit(), known);
    assert.deepEqual(failures, [], "an outage is told by others");
  });

  it("keep no request waiting for a database that hangs, and ask it one question at a time", async () => {
    const { settings, answerWith } = live();
    answerWith(() => FIVE);
    const known = settings.rateLimit();
    const late = Promise.withResolvers<Overrides>();
    let asked = 0;
    answerWith(() => {
      asked += 1;
      return late.promise;
    });
    assert.equal(await settings.rateLimit(), known);
    assert.equal(await settings.rateLimit(), known);
    assert.equal(asked, 1);
    late.resolve({});
    await late.promise;
    await new Promise(setImmediate);
    answerWith(() => ({}));
    const now = settings.rateLimit();
    assert.ok(!isPending(now) && now?.limit === 100);
  });

  it("do not let in from the database what the start would refuse, and say so", () => {
    const { settings, failures, answerWith } = live(loadSettings(production()));
    const off = { value: "off", changedAtMs: 1, changedBy: null };
    answerWith(() => ({ rate_limit: off, login_rate_limit: { ...off, value: "?" }, unknown: off }));
    assert.deepEqual(settings.rateLimit(), { name: "default", limit: 1000, windowMs: 3_600_000 });
    assert.deepEqual(settings.loginRateLimit(), { name: "login", limit: 10, windowMs: 60_000 });
    const view = settings.now();
    assert.ok(!isPending(view));
    assert.deepEqual(view.overrides, {});
    assert.deepEqual(
      failures.map((error) => /the setting \w+ in the database does not hold/.exec(String(error))?.[0]),
      ["rate_limit", "login_rate_limit"].map((name) => `the setting ${name} in the database does not hold`),
    );
  });
});
