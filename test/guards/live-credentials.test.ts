import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { LiveCredentials } from "../../src/guards/authenticators/live-credentials.ts";
import { createLiveCredentials } from "../../src/guards/authenticators/live-credentials.ts";
import type { UserTokenClaims } from "../../src/identity/tokens/access-tokens.ts";
import type { AuthOutcome } from "../../src/kernel/authentication.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import type { Stores } from "../../src/stores/open.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleAccount,
  sampleId,
  sampleSession,
} from "../../src/testing/samples.ts";
import { openTemporaryStores } from "../stores/temporary-stores.ts";

const HOUR_MS = 3_600_000;
const USER = sampleId(0);
const SESSION = sampleId(1);

const claimsOf = (n: number): UserTokenClaims => ({
  kind: "user",
  sub: USER,
  jti: `jti${n}`,
  sid: sampleId(n),
  role: "user",
  issuedAtMs: NOW_MS,
  notBeforeMs: NOW_MS,
  expiresAtMs: NOW_MS + HOUR_MS,
});

describe("who a token that was shown before stands for", () => {
  let stores: Stores & { readonly path: string };
  /** Another connection that this process's stores know nothing of, as another process would have. */
  let stranger: DatabaseSync;
  let live: LiveCredentials;
  const claims = claimsOf(1);
  const createLive = (parts: Partial<Stores> = {}) =>
    createLiveCredentials({
      ...stores,
      ...parts,
      idleTtlMs: { browser: HOUR_MS, token: HOUR_MS },
      onTouchFailed: (error) => assert.fail(String(error)),
    });
  beforeEach(async () => {
    stores = await openTemporaryStores();
    stranger = new DatabaseSync(stores.path);
    await stores.accounts.create(sampleAccount(0));
    await stores.sessions.start(sampleSession(1, { kind: "token" }));
    await stores.sessions.start(sampleSession(2, { kind: "token" }));
    live = createLive();
    assert.ok(isFrozenThrough(resolve()));
    assert.equal(resolve(), resolve(), "and is remembered");
  });
  afterEach(async () => {
    await live.settle();
    stranger.close();
    await stores.close();
  });

  function resolve(nowMs = NOW_MS, of = live): AuthOutcome {
    const outcome = of.ofClaims(claims, nowMs);
    assert.ok(!(outcome instanceof Promise), "is found out at once");
    return outcome;
  }

  function told(outcome: AuthOutcome): string {
    if (outcome.kind === "rejected") return `${outcome.reason.code}: ${outcome.reason.cause}`;
    return outcome.kind === "authenticated" ? outcome.principal.user.role : outcome.kind;
  }

  function isFrozenThrough(value: unknown): boolean {
    return (
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(isFrozenThrough))
    );
  }

  const CHANGES: readonly [what: string, byPort: () => Promise<unknown>, bySql: string, told: string][] = [
    [
      "the token is revoked",
      () => stores.revocations.revoke("jti1", NOW_MS + HOUR_MS),
      "insert into revoked_tokens values ('jti1', 1)",
      "token_revoked: token was revoked",
    ],
    [
      "the session ends",
      () => stores.sessions.end(SESSION, USER, NOW_MS),
      `update sessions set ended_at_ms = ${NOW_MS}`,
      "token_revoked: session has ended",
    ],
    [
      "the user is disabled",
      () => stores.accounts.update(USER, { disabled: true }),
      "update accounts set disabled = 1",
      "token_revoked: user is disabled",
    ],
    [
      "the password changes",
      () => stores.accounts.update(USER, { passwordHash: "new", passwordChangedAtMs: NOW_MS + 1 }),
      `update accounts set password_changed_at_ms = ${NOW_MS + 1}`,
      "token_revoked: password has changed since",
    ],
    [
      "the role changes",
      () => stores.accounts.update(USER, { role: "moderator" }),
      "update accounts set role = 'moderator'",
      "moderator",
    ],
  ];
  for (const [what, byPort, bySql, expected] of CHANGES) {
    it(`is asked again at the very next request where ${what} here`, async () => {
      await byPort();
      assert.equal(told(resolve()), expected);
      assert.equal(told(resolve()), expected);
    });

    it(`is asked again within milliseconds where ${what} in another process`, async () => {
      stranger.exec(bySql);
      await pause(5);
      assert.equal(told(resolve()), expected);
    });
  }

  it("is asked again after the journal of changes was rewritten, as by a restore", async () => {
    stranger.exec("begin; update sessions set ended_at_ms = 1; delete from changes; commit");
    await pause(5);
    assert.equal(told(resolve()), "token_revoked: session has ended");
  });

  it("is nobody from the millisecond in which the session expires", () => {
    assert.equal(told(resolve(NOW_MS + HOUR_MS - 1)), "user");
    assert.equal(told(resolve(NOW_MS + HOUR_MS)), "token_expired: session has expired");
    assert.equal(told(resolve(NOW_MS + HOUR_MS - 1)), "user");
  });

  it("has its uses noted all the same", async () => {
    const laterMs = NOW_MS + 61_000;
    resolve(laterMs);
    await live.settle();
    assert.equal((await stores.sessions.findById(SESSION))?.lastSeenAtMs, laterMs);
    assert.equal(told(resolve(NOW_MS + HOUR_MS + 60_000)), "user", "and its idle end has moved");
  });

  it("is remembered through what concerns no token: events and sign-ins that fail", async () => {
    const before = resolve();
    stranger.exec("insert into lockouts values ('name', '', 1, null, null, 9)");
    await pause(5);
    assert.equal(resolve(), before);
  });

  it("is not remembered where a read was replaced, whose changes nobody counts", async () => {
    let disabled = false;
    const findById: Stores["accounts"]["findById"] = (id) => sampleAccount(0, { id, disabled });
    const own = createLive({ accounts: { ...stores.accounts, findById } });
    for (const now of [false, true]) {
      disabled = now;
      assert.equal(resolve(NOW_MS, own).kind, now ? "rejected" : "authenticated");
    }
  });

  it("R6: belongs to one token alone", () => {
    const other = live.ofClaims(claimsOf(2), NOW_MS) as AuthOutcome;
    assert.ok(other.kind === "authenticated" && other.principal.kind === "user");
    assert.equal(other.principal.tokenId, "jti2");
    assert.equal(other.principal.sessionId, sampleId(2));
  });
});

describe("a session in use", () => {
  for (const idleTtlMs of [2000, 90_000, 24 * HOUR_MS]) {
    it(`does not end idle where that takes ${idleTtlMs / 1000} s`, async () => {
      const { accounts, sessions, revocations } = createMemoryStores();
      await accounts.create(sampleAccount(0));
      const ends = { idleExpiresAtMs: NOW_MS + idleTtlMs, expiresAtMs: NOW_MS + 10 * idleTtlMs };
      await sessions.start(sampleSession(1, { kind: "browser", lastSeenAtMs: NOW_MS, ...ends }));
      const live = createLiveCredentials({
        ...{ accounts, sessions, revocations },
        idleTtlMs: { browser: idleTtlMs, token: idleTtlMs },
        onTouchFailed: (error) => assert.fail(String(error)),
      });
      let nowMs = NOW_MS;
      for (const share of [0.6, 0.9, 0.03, 0.9]) {
        nowMs += share * idleTtlMs;
        assert.equal((await live.ofSessionId(SESSION, nowMs)).kind, "authenticated", `${share}`);
        await live.settle();
      }
      assert.equal((await live.ofSessionId(SESSION, nowMs + idleTtlMs)).kind, "rejected");
    });
  }
});

it("a store that asks somebody and one that fails at once end in one failure, which somebody gets", async () => {
  const outage = new Outage("database");
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  const live = createLiveCredentials({
    accounts: { findById: () => undefined } as unknown as Stores["accounts"],
    sessions: {
      findById() {
        throw outage;
      },
    } as unknown as Stores["sessions"],
    revocations: { isRevoked: () => Promise.reject(outage) } as unknown as Stores["revocations"],
    idleTtlMs: { browser: HOUR_MS, token: HOUR_MS },
    onTouchFailed: () => undefined,
  });
  await assert.rejects(async () => live.ofClaims(claimsOf(1), NOW_MS), outage);
  await pause(5);
  process.off("unhandledRejection", onUnhandled);
  assert.deepEqual(unhandled, []);
});
