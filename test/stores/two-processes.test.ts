import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { UpdateOutcome } from "../../src/identity/accounts/account.ts";
import type { AttemptOutcome } from "../../src/identity/accounts/lockout.ts";
import type { RotateOutcome } from "../../src/identity/tokens/refresh-token.ts";
import type { Stores } from "../../src/stores/open.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleAccount,
  sampleApiKey,
  sampleHash,
  sampleId,
  sampleRefreshToken,
  sampleSession,
} from "../../src/testing/samples.ts";
import type { Call, OtherProcess } from "./other-process.ts";
import { startOtherProcess } from "./other-process.ts";
import { openTemporaryStores, temporaryDirectory } from "./temporary-stores.ts";

const ID = sampleId(1);

describe("what another process changes", () => {
  let stores: Stores & { readonly path: string };
  let other: OtherProcess;
  before(async () => {
    stores = await openTemporaryStores();
    other = await startOtherProcess(`sqlite:${stores.path}`);
    await stores.accounts.create(sampleAccount(1));
    await stores.sessions.start(sampleSession(1));
    await stores.apiKeys.create(sampleApiKey(1));
  });
  after(async () => {
    await other.stop();
    await stores.close();
  });

  /** Calls the other process, and lets the time pass that its commit may go unseen here: a millisecond, or a turn. */
  async function elsewhere(call: Call): Promise<void> {
    await other.call(call);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  it("is seen in an account that was read before", async () => {
    assert.equal((await stores.accounts.findById(ID))?.disabled, false);
    await elsewhere(["accounts", "update", ID, { disabled: true, role: "moderator" }]);
    assert.deepEqual(
      await stores.accounts.findById(ID),
      sampleAccount(1, { disabled: true, role: "moderator" }),
    );
    assert.deepEqual(await stores.accounts.findByUsernameKey("user1"), await stores.accounts.findById(ID));
  });

  it("is seen in a session, by its id and by its secret", async () => {
    const hash = sampleHash("secret1");
    assert.equal((await stores.sessions.findById(ID))?.endedAtMs, null);
    await elsewhere(["sessions", "touch", [ID], NOW_MS + 1, NOW_MS + 99]);
    assert.equal((await stores.sessions.findBySecretHash(hash))?.idleExpiresAtMs, NOW_MS + 99);
    await elsewhere(["sessions", "reauthenticate", ID, hash, sampleHash("fresh"), NOW_MS + 2]);
    assert.equal(await stores.sessions.findBySecretHash(hash), undefined);
    assert.equal((await stores.sessions.findBySecretHash(sampleHash("fresh")))?.id, ID);
    await elsewhere(["sessions", "endAll", sampleId(0), NOW_MS + 3]);
    assert.equal((await stores.sessions.findById(ID))?.endedAtMs, NOW_MS + 3);
    assert.equal((await stores.sessions.findBySecretHash(sampleHash("fresh")))?.endedAtMs, NOW_MS + 3);
    await elsewhere(["sessions", "purge", NOW_MS + 4]);
    assert.equal(await stores.sessions.findById(ID), undefined);
  });

  it("is seen in an API key", async () => {
    assert.equal((await stores.apiKeys.findByPublicId("public1"))?.revokedAtMs, null);
    await elsewhere(["apiKeys", "rotate", ID, sampleHash("key1"), sampleHash("new"), NOW_MS]);
    assert.equal((await stores.apiKeys.findByPublicId("public1"))?.secretHash, sampleHash("new"));
    await elsewhere(["apiKeys", "revoke", ID, NOW_MS]);
    assert.equal((await stores.apiKeys.findByPublicId("public1"))?.revokedAtMs, NOW_MS);
  });

  it("is seen where a token was not revoked before", async () => {
    assert.equal(await stores.revocations.isRevoked("jti"), false);
    await elsewhere(["revocations", "revoke", "jti", NOW_MS]);
    assert.equal(await stores.revocations.isRevoked("jti"), true);
    await elsewhere(["revocations", "purge", NOW_MS + 1]);
    assert.equal(await stores.revocations.isRevoked("jti"), false);
  });
});

describe("two processes at once", () => {
  let stores: Stores & { readonly path: string };
  let pair: [OtherProcess, OtherProcess];
  before(async () => {
    stores = await openTemporaryStores();
    const start = () => startOtherProcess(`sqlite:${stores.path}`);
    pair = await Promise.all([start(), start()]);
  });
  after(async () => {
    await Promise.all(pair.map((one) => one.stop()));
    await stores.close();
  });

  it("rotate a refresh token once", async () => {
    await stores.sessions.start(sampleSession(1));
    await stores.refreshTokens.issue(sampleRefreshToken("a"));
    const request = {
      hash: sampleHash("a"),
      successorHash: sampleHash("b"),
      nowMs: NOW_MS,
      graceMs: 1_000,
      successorExpiresAtMs: NOW_MS + 1_000,
    };
    const calls = Array.from({ length: 32 }, () => ["refreshTokens", "rotate", request] as const);
    const outcomes = (await Promise.all(pair.map((one) => one.call(...calls)))).flat() as RotateOutcome[];
    const kinds = outcomes.map(({ kind }) => kind).sort();
    assert.deepEqual(kinds, [...Array<string>(63).fill("repeated"), "rotated"]);
  });

  it("never give up the last admin between them", async () => {
    const admins = [sampleId(1), sampleId(2)] as const;
    for (const n of [1, 2]) await stores.accounts.create(sampleAccount(n, { role: "admin" }));
    for (let round = 0; round < 20; round += 1) {
      const [first, second] = (await Promise.all([
        pair[0].call(["accounts", "update", admins[0], { role: "user" }]),
        pair[1].call(["accounts", "update", admins[1], { disabled: true }]),
      ])) as [[UpdateOutcome], [UpdateOutcome]];
      assert.deepEqual([first[0].kind, second[0].kind].sort(), ["last_admin", "updated"]);
      for (const id of admins) await stores.accounts.update(id, { role: "admin", disabled: false });
    }
  });

  it("count failed sign-ins as one, and let no more through than are allowed", async () => {
    const attempt = {
      nameHash: sampleHash("name"),
      placeHash: sampleHash("place"),
      proved: false,
      atMs: NOW_MS,
      mostFailures: 50,
      lockMs: 1_000,
      placeTtlMs: 1_000,
    };
    const calls = Array.from({ length: 32 }, () => ["lockouts", "settle", attempt] as const);
    const outcomes = (await Promise.all(pair.map((one) => one.call(...calls)))).flat() as AttemptOutcome[];
    const count = (outcome: AttemptOutcome) => outcomes.filter((one) => one === outcome).length;
    assert.deepEqual([count("failed"), count("locked_now"), count("locked")], [49, 1, 14]);
    assert.equal(await stores.lockouts.settle({ ...attempt, proved: true }), "locked");
  });

  it("never both take a name", async () => {
    for (let round = 0; round < 20; round += 1) {
      const rival = (n: number) => sampleAccount(1_000 + 2 * round + n, { usernameKey: `name${round}` });
      const outcomes = await Promise.all([
        pair[0].call(["accounts", "create", rival(0)]),
        pair[1].call(["accounts", "create", rival(1)]),
      ]);
      assert.deepEqual(outcomes.flat().sort(), ["conflict", "created"]);
    }
  });
});

it("three processes migrate a new database at once: each migration is applied once", async () => {
  const { directory, remove } = temporaryDirectory();
  const databaseUrl = `sqlite:${join(directory, "new", "kyros.db")}`;
  const processes = await Promise.all([1, 2, 3].map(() => startOtherProcess(databaseUrl)));
  try {
    const applied = (await Promise.all(processes.map((one) => one.call(["stores", "migrate"])))).flat();
    const names = (applied as string[][]).flat().sort();
    assert.ok(names.length > 0);
    assert.deepEqual(names, [...new Set(names)]);
    for (const one of processes) assert.deepEqual(await one.call(["stores", "pendingMigrations"]), [[]]);
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    remove();
  }
});
