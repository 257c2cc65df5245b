import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Passwords } from "../../src/crypto/password.ts";
import type { Account } from "../../src/identity/accounts/account.ts";
import { createAccounts } from "../../src/identity/accounts/accounts.ts";
import { createLockouts } from "../../src/identity/accounts/lockouts.ts";
import { createSessions } from "../../src/identity/sessions/sessions.ts";
import type { Act } from "../../src/kernel/audit-event.ts";
import { Refusal } from "../../src/kernel/failure.ts";
import { problem } from "../../src/kernel/problem.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { manualClock, seededRandom } from "../../src/testing/index.ts";

const START = 1_800_000_000_000;

/** Passwords whose hash is their own text, and whose checking can be held up. */
function plainPasswords(during: () => unknown = () => undefined, needsUpgrade = false): Passwords {
  return {
    pending: 0,
    load: { waiting: 0, running: 0, refused: 0 },
    hash: async (password) => `hash of ${password}`,
    async verify(password, stored) {
      await during();
      const ok = stored === `hash of ${password}`;
      return { ok, needsUpgrade: ok && needsUpgrade };
    },
  };
}

function open(passwords: Passwords) {
  const stores = createMemoryStores();
  const clock = manualClock(START);
  const random = seededRandom(1);
  const events = { record: () => undefined };
  const idleTtlMs = { browser: 1e9, token: 1e9 };
  const sessions = createSessions({ store: stores.sessions, random, events, maxTtlMs: 1e9, idleTtlMs });
  const lockouts = createLockouts({ store: stores.lockouts, key: random.bytes(32) });
  const accounts = createAccounts({
    store: stores.accounts,
    sessions,
    lockouts,
    factors: stores.factors,
    passkeysOn: false,
    passwords,
    clock,
    random,
    events,
  });
  const act = (): Act => ({ atMs: clock.now(), actor: { kind: "operator" } });
  const create = () =>
    accounts.create({ username: "alice", email: null, password: "an old password", role: "user" }, act());
  return { stores, clock, sessions, accounts, act, create };
}

describe("accounts", () => {
  it("do not sign in by a password that is changed while it is checked", async () => {
    let during: () => unknown = () => undefined;
    const { accounts, act, create } = open(plainPasswords(() => during()));
    const alice = await create();
    assert.equal((await accounts.authenticate("alice", "an old password", act()))?.account.id, alice.id);
    during = () => accounts.setPassword(alice, "a new password", act());
    assert.equal(await accounts.authenticate("alice", "an old password", act()), undefined);
  });

  it("do not sign in who is disabled while the password is checked", async () => {
    let during: () => unknown = () => undefined;
    const { stores, accounts, act, create } = open(plainPasswords(() => during()));
    const alice = await create();
    during = () => stores.accounts.update(alice.id, { disabled: true });
    assert.equal(await accounts.authenticate("alice", "an old password", act()), undefined);
  });

  it("sign in by a hash that another sign-in replaces with a better one while it is checked", async () => {
    let during: () => unknown = () => undefined;
    const { stores, accounts, act, create } = open({
      ...plainPasswords(),
      async verify(password, stored) {
        const ok = stored === `hash of ${password}` || stored === `better hash of ${password}`;
        await during();
        return { ok, needsUpgrade: false };
      },
    });
    const alice = await create();
    const upgrade = (better: string) => () =>
      stores.accounts.upgradePasswordHash(alice.id, "hash of an old password", better);
    during = upgrade("better hash of an old password");
    assert.equal((await accounts.authenticate("alice", "an old password", act()))?.account.id, alice.id);
    // Each time another hash: what is found then counts, whatever had been proved before.
    await stores.accounts.upgradePasswordHash(
      alice.id,
      "better hash of an old password",
      "hash of an old password",
    );
    during = upgrade("hash of something else");
    assert.equal(await accounts.authenticate("alice", "an old password", act()), undefined);
  });

  it("date a change of password when it is made, not when it was asked for", async () => {
    const { stores, clock, sessions, accounts, act, create } = open(plainPasswords());
    const alice: Account = await create();
    const asked = act();
    clock.advance(1000);
    // Signed in with the old password after the change was asked for, and before it was made.
    const session = await sessions.startToken(alice, act());
    clock.advance(1);
    await accounts.setPassword(alice, "a new password", asked);
    const changed = await stores.accounts.findById(alice.id);
    assert.ok(session.authenticatedAtMs < changed!.passwordChangedAtMs);
  });

  it("sign in after the clock was set back, in a session that knows the changes before it and none after", async () => {
    const { stores, clock, sessions, accounts, act, create } = open(plainPasswords());
    const alice = await create();
    clock.advance(-3_600_000);
    const proved = (await accounts.authenticate("alice", "an old password", act()))?.account;
    const session = await sessions.startToken(proved!, act());
    assert.ok(session.authenticatedAtMs >= alice.passwordChangedAtMs);
    // What was proved with the old password loses to each change, however late it opens its session.
    await accounts.setPassword(proved!, "a new password", act());
    const late = await sessions.startToken(proved!, act());
    const { passwordChangedAtMs } = (await stores.accounts.findById(alice.id))!;
    for (const { authenticatedAtMs } of [session, late]) assert.ok(authenticatedAtMs < passwordChangedAtMs);

    const again = (await accounts.authenticate("alice", "a new password", act()))?.account;
    const browser = await sessions.startBrowser(again!, act());
    assert.ok(browser.session.authenticatedAtMs >= passwordChangedAtMs);
    const raised = await accounts.change(alice.id, { role: "admin" }, act());
    const { session: tooLate } = await sessions.startBrowser(again!, act());
    for (const one of [browser.session, tooLate]) assert.ok(one.authenticatedAtMs < raised!.roleChangedAtMs);
    const ended = await stores.sessions.findById(browser.session.id);
    assert.notEqual(ended?.endedAtMs, null);
  });

  it("keep the session in which the password is changed, also after the clock was set back", async () => {
    const { stores, clock, sessions, accounts, act, create } = open(plainPasswords());
    const alice = await create();
    clock.advance(-3_600_000);
    const { session } = await sessions.startBrowser(alice, act());
    await accounts.setPassword(alice, "a new password", act(), session);
    const kept = await stores.sessions.findById(session.id);
    const changed = await stores.accounts.findById(alice.id);
    assert.ok(kept!.authenticatedAtMs >= changed!.passwordChangedAtMs);
  });

  it("sign in by a weaker hash although there is no room to compute a better one", async () => {
    const passwords = plainPasswords(undefined, true);
    const { accounts, act, create } = open({
      ...passwords,
      hash: (password) =>
        password === "an old password" && full
          ? Promise.reject(new Refusal(problem("overloaded", "later")))
          : passwords.hash(password),
    });
    let full = false;
    const alice = await create();
    full = true;
    assert.equal((await accounts.authenticate("alice", "an old password", act()))?.account.id, alice.id);
  });
});
