import assert from "node:assert/strict";
import { Outage } from "../../src/kernel/failure.ts";
import type { Stores } from "../../src/stores/open.ts";
import { appendRecords, sampleRecord } from "../../src/testing/audit-samples.ts";
import {
  sampleChallenge,
  sampleConfirmation,
  samplePasskey,
  sampleTotp,
} from "../../src/testing/factor-samples.ts";
import { sampleAccount, sampleApiKey, sampleRefreshToken, sampleSession } from "../../src/testing/samples.ts";

/** Every method of every port, on things that are there. */
export function everyCall({
  accounts,
  sessions,
  refreshTokens,
  revocations,
  apiKeys,
  lockouts,
  factors,
  challenges,
  audit,
  settings,
  statistics,
}: Stores): [string, () => unknown][] {
  const { id } = sampleAccount(1);
  const rotation = { hash: "a", successorHash: "b", nowMs: 1, graceMs: 1, successorExpiresAtMs: 2 };
  const attempt = {
    nameHash: "a",
    placeHash: "b",
    proved: true,
    atMs: 1,
    mostFailures: 1,
    lockMs: 1,
    placeTtlMs: 1,
  };
  const truncation = { kind: "truncation", seq: 0, hash: "", atMs: 1, publicKey: "", signature: "" } as const;
  const question = { nowMs: 1, keysExpiringUntilMs: 1, signInsSinceMs: 1, mostRows: 1 };
  return [
    ["accounts.findById", () => accounts.findById(id)],
    ["accounts.findByUsernameKey", () => accounts.findByUsernameKey("user1")],
    ["accounts.list", () => accounts.list({ limit: 1 })],
    ["accounts.list of a search", () => accounts.list({ limit: 1, search: "u" })],
    ["accounts.create", () => accounts.create(sampleAccount(2))],
    ["accounts.update", () => accounts.update(id, { email: null })],
    ["accounts.upgradePasswordHash", () => accounts.upgradePasswordHash(id, "a", "b")],
    ["sessions.start", () => sessions.start(sampleSession(2))],
    ["sessions.findById", () => sessions.findById(id)],
    ["sessions.findBySecretHash", () => sessions.findBySecretHash(sampleSession(1).secretHash!)],
    ["sessions.listLive", () => sessions.listLive(id, 1)],
    ["sessions.touch", () => sessions.touch([id], 1, 2)],
    ["sessions.reauthenticate", () => sessions.reauthenticate(id, "a", "b", 1)],
    ["sessions.end", () => sessions.end(id, id, 1)],
    ["sessions.endAll", () => sessions.endAll(id, 1)],
    ["sessions.purge", () => sessions.purge(1)],
    ["refreshTokens.issue", () => refreshTokens.issue(sampleRefreshToken("b"))],
    ["refreshTokens.rotate", () => refreshTokens.rotate(rotation)],
    ["refreshTokens.find", () => refreshTokens.find("a")],
    ["refreshTokens.purge", () => refreshTokens.purge(1)],
    ["revocations.revoke", () => revocations.revoke("jti", 1)],
    ["revocations.isRevoked", () => revocations.isRevoked("jti")],
    ["revocations.purge", () => revocations.purge(1)],
    ["apiKeys.create", () => apiKeys.create(sampleApiKey(2))],
    ["apiKeys.findByPublicId", () => apiKeys.findByPublicId("public1")],
    ["apiKeys.findById", () => apiKeys.findById(id)],
    ["apiKeys.list", () => apiKeys.list({ limit: 1 })],
    ["apiKeys.create, of at most some", () => apiKeys.create(sampleApiKey(2, { ownerId: id }), 9)],
    ["apiKeys.rotate", () => apiKeys.rotate(id, "a", "b", 1)],
    ["apiKeys.revoke", () => apiKeys.revoke(id, 1)],
    ["apiKeys.touch", () => apiKeys.touch([id], 1)],
    ["lockouts.settle", () => lockouts.settle(attempt)],
    ["lockouts.unlock", () => lockouts.unlock("a", 1)],
    ["lockouts.lockedUntil", () => lockouts.lockedUntil(["a"], 1)],
    ["lockouts.purge", () => lockouts.purge(1)],
    ["factors.summaryOf", () => factors.summaryOf(id)],
    ["factors.summariesOf", () => factors.summariesOf([id])],
    ["factors.findTotp", () => factors.findTotp(id)],
    ["factors.offerTotp", () => factors.offerTotp(sampleTotp(1))],
    ["factors.confirmTotp", () => factors.confirmTotp(sampleConfirmation(1))],
    ["factors.useTotpStep", () => factors.useTotpStep(id, 1)],
    ["factors.listTotpSealedOtherwise", () => factors.listTotpSealedOtherwise("1.", 1)],
    ["factors.resealTotp", () => factors.resealTotp(id, "a", "b")],
    ["factors.useRecoveryCode", () => factors.useRecoveryCode(id, "a")],
    ["factors.findPasskey", () => factors.findPasskey("a")],
    ["factors.listPasskeys", () => factors.listPasskeys(id)],
    ["factors.addPasskey", () => factors.addPasskey(samplePasskey(1), [])],
    ["factors.usePasskey", () => factors.usePasskey(id, 1, 1)],
    ["factors.removeTotp", () => factors.removeTotp(id)],
    ["factors.removePasskey", () => factors.removePasskey(id, id, true)],
    ["factors.removeAll", () => factors.removeAll(id)],
    ["challenges.open", () => challenges.open(sampleChallenge(2), 1)],
    ["challenges.find", () => challenges.find("a", 1)],
    ["challenges.try", () => challenges.try("a", 1, 1)],
    ["challenges.consume", () => challenges.consume("a", 1)],
    ["challenges.cancelAll", () => challenges.cancelAll(id)],
    ["challenges.purge", () => challenges.purge(1)],
    ["audit.append", () => appendRecords(audit, [sampleRecord(1)])],
    ["audit.head", () => audit.head()],
    ["audit.entriesAfter", () => audit.entriesAfter(0, 1)],
    ["audit.list", () => audit.list({ limit: 1 })],
    ["audit.list of a party", () => audit.list({ limit: 1, parties: [id] })],
    ["audit.statements", () => audit.statements()],
    ["settings.current", () => settings.current()],
    ["settings.change", () => settings.change((current) => current)],
    ["statistics.read", () => statistics.read(question)],
    ["audit.truncate", () => audit.truncate(truncation)],
  ];
}

/** Asserts that each call throws or rejects with an `Outage`; all of them at once where they take their time. */
export async function assertOutages(
  calls: readonly [string, () => unknown][],
  { atOnce = false } = {},
): Promise<void> {
  const assertOutage = ([name, call]: [string, () => unknown]) =>
    assert.rejects(
      async () => call(),
      (error: unknown) => {
        assert.ok(error instanceof Outage, `${name}: ${error}`);
        assert.equal(error.dependency, "database");
        assert.ok(error.cause instanceof Error, name);
        return true;
      },
      name,
    );
  if (atOnce) await Promise.all(calls.map(assertOutage));
  else for (const call of calls) await assertOutage(call);
}

/** Fills stores with what the calls are about, and reads it once. */
export async function fill(stores: Stores): Promise<void> {
  await stores.accounts.create(sampleAccount(1));
  await stores.sessions.start(sampleSession(1));
  await stores.refreshTokens.issue(sampleRefreshToken("a"));
  await stores.apiKeys.create(sampleApiKey(1));
  for (const [, call] of everyCall(stores).filter(([name]) => /find|isRevoked/.test(name))) await call();
}
