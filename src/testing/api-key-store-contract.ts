import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApiKeyStore } from "../identity/api-keys/api-key.ts";
import { Outage } from "../kernel/failure.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleApiKey, sampleHash, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenApiKeys = () => Promise<{ readonly apiKeys: ApiKeyStore; close(): Promise<void> }>;

/** Registers the cases that every `ApiKeyStore` has to pass. */
export function apiKeyStoreContract(open: OpenApiKeys): void {
  const withStore = withOpened(open);
  const ID = sampleId(1);

  describe("an API key store", () => {
    it("gives back every field of a key, by id and by public id", () =>
      withStore(async ({ apiKeys }) => {
        const full = sampleApiKey(1, {
          previousSecretHash: sampleHash("previous"),
          previousExpiresAtMs: 1_700_000_000_001,
          name: 'dépôt "\u{1f511}", \\ and, commas',
          ownerId: sampleId(9),
          scopes: ["read:a", 'with "quotes"', "", "ü"],
          addressRanges: ["192.0.2.0/24", "2001:db8::/32"],
          rateLimits: ["100/1m", "5/1s"],
          createdAtMs: 1_700_000_000_002,
          expiresAtMs: 253_402_300_799_999,
          revokedAtMs: 1_700_000_000_004,
          lastUsedAtMs: 1_700_000_000_005,
        });
        const bare = sampleApiKey(2, { ownerId: null });
        for (const key of [full, bare]) {
          await apiKeys.create(key);
          assert.deepEqual(await apiKeys.findById(key.id), key);
          assert.deepEqual(await apiKeys.findByPublicId(key.publicId), key);
        }
        for (const text of ["", "public", "PUBLIC1", "public1\0", "%", "public_"]) {
          assert.equal(await apiKeys.findByPublicId(text), undefined, text);
        }
      }));

    it("refuses a second key with the same id or public id, as a fault and not an outage", () =>
      withStore(async ({ apiKeys }) => {
        await apiKeys.create(sampleApiKey(1));
        const isFault = (error: unknown) => error instanceof Error && !(error instanceof Outage);
        await assert.rejects(apiKeys.create(sampleApiKey(1, { publicId: "other" })), isFault);
        await assert.rejects(apiKeys.create(sampleApiKey(2, { publicId: "public1" })), isFault);
        assert.deepEqual(await apiKeys.findByPublicId("public1"), sampleApiKey(1));
        assert.deepEqual(await apiKeys.list({ limit: 9 }), [sampleApiKey(1)]);
      }));

    it("keeps its lists to itself: changing one that was passed or returned changes nothing", () =>
      withStore(async ({ apiKeys }) => {
        const scopes = ["read"];
        await apiKeys.create(sampleApiKey(1, { scopes }));
        scopes.push("admin");
        const found = (await apiKeys.findByPublicId("public1"))!;
        Reflect.set(found.scopes, "0", "admin");
        Reflect.set(found, "revokedAtMs", null);
        assert.deepEqual((await apiKeys.findByPublicId("public1"))?.scopes, ["read"]);
      }));

    it("lists keys in order of id, of one owner or of all, page by page", () =>
      withStore(async ({ apiKeys }) => {
        for (const n of [5, 1, 4, 2, 3]) {
          await apiKeys.create(sampleApiKey(n, { ownerId: n === 3 ? null : sampleId(n % 2) }));
        }
        const ids = async (query: Parameters<ApiKeyStore["list"]>[0]) =>
          (await apiKeys.list(query)).map(({ id }) => id);
        assert.deepEqual(await ids({ limit: 9 }), [1, 2, 3, 4, 5].map(sampleId));
        assert.deepEqual(await ids({ limit: 9, ownerId: sampleId(1) }), [1, 5].map(sampleId));
        assert.deepEqual(await ids({ limit: 2, afterId: sampleId(2) }), [3, 4].map(sampleId));
        assert.deepEqual(await ids({ limit: 9, ownerId: sampleId(0), afterId: sampleId(2) }), [sampleId(4)]);
        assert.deepEqual(await ids({ limit: 9, ownerId: sampleId(7) }), []);
        await apiKeys.revoke(sampleId(2), NOW_MS);
        assert.deepEqual(await ids({ limit: 2, unrevoked: true }), [1, 3].map(sampleId), "a page is full");
        assert.deepEqual(await ids({ limit: 1, ownerId: sampleId(0), unrevoked: true }), [sampleId(4)]);
        assert.deepEqual(await ids({ limit: 1, ownerId: sampleId(0) }), [sampleId(2)]);
      }));

    it("creates no more than the most that an owner may have, of any number at once; revoked ones do not count", () =>
      withStore(async ({ apiKeys }) => {
        const most = 3;
        const create = (n: number, ownerId: string | null = sampleId(1)) =>
          apiKeys.create(sampleApiKey(n, { ownerId }), most);
        const made = await Promise.all(Array.from({ length: 12 }, (_, n) => create(n + 1)));
        assert.equal(made.filter(Boolean).length, most);
        const kept = await apiKeys.list({ limit: 99 });
        assert.deepEqual(
          kept.map(({ id }) => id),
          [...made.keys()].filter((n) => made[n]).map((n) => sampleId(n + 1)),
        );
        assert.equal(await create(20, sampleId(2)), true, "of another owner");
        for (const n of [21, 22, 23, 24]) assert.equal(await create(n, null), true, "of none");
        assert.equal(await apiKeys.create(sampleApiKey(25, { ownerId: sampleId(1) })), true, "of any number");
        await apiKeys.revoke(kept[0]!.id, NOW_MS);
        assert.equal(await create(26), false, "three are left");
        await apiKeys.revoke(kept[1]!.id, NOW_MS);
        assert.equal(await create(27), true);
      }));

    it("rotates a secret, keeps the former one until its overlap ends, and is seen at once", () =>
      withStore(async ({ apiKeys }) => {
        await apiKeys.create(sampleApiKey(1));
        await apiKeys.findByPublicId("public1");
        assert.equal(await apiKeys.rotate(ID, sampleHash("key1"), sampleHash("new"), NOW_MS + 5), true);
        const rotated = sampleApiKey(1, {
          secretHash: sampleHash("new"),
          previousSecretHash: sampleHash("key1"),
          previousExpiresAtMs: NOW_MS + 5,
        });
        assert.deepEqual(await apiKeys.findByPublicId("public1"), rotated);
        assert.equal(await apiKeys.rotate(ID, sampleHash("key1"), sampleHash("newer"), NOW_MS + 5), false);
        assert.equal(
          await apiKeys.rotate(sampleId(2), sampleHash("new"), sampleHash("newer"), NOW_MS),
          false,
        );
        assert.deepEqual(await apiKeys.findById(ID), rotated);
      }));

    it("lets one of many concurrent rotations win", () =>
      withStore(async ({ apiKeys }) => {
        await apiKeys.create(sampleApiKey(1));
        const won = await Promise.all(
          Array.from({ length: 16 }, (_, n) =>
            apiKeys.rotate(ID, sampleHash("key1"), sampleHash(`new${n}`), NOW_MS),
          ),
        );
        assert.equal(won.filter(Boolean).length, 1);
        assert.equal((await apiKeys.findById(ID))?.secretHash, sampleHash(`new${won.indexOf(true)}`));
      }));

    it("revokes a key once, is seen at once, and rotates it no more", () =>
      withStore(async ({ apiKeys }) => {
        await apiKeys.create(sampleApiKey(1));
        await apiKeys.findByPublicId("public1");
        const told = await Promise.all(Array.from({ length: 8 }, () => apiKeys.revoke(ID, NOW_MS)));
        assert.equal(told.filter(Boolean).length, 1);
        assert.equal(await apiKeys.revoke(ID, NOW_MS + 1), false);
        assert.equal(await apiKeys.revoke(sampleId(2), NOW_MS), false);
        assert.deepEqual(await apiKeys.findByPublicId("public1"), sampleApiKey(1, { revokedAtMs: NOW_MS }));
        assert.equal(await apiKeys.rotate(ID, sampleHash("key1"), sampleHash("new"), NOW_MS), false);
      }));

    it("tells one of many concurrent uses that it was the first, and never goes back in time", () =>
      withStore(async ({ apiKeys }) => {
        await apiKeys.create(sampleApiKey(1));
        await apiKeys.create(sampleApiKey(2));
        const uses = await Promise.all(
          Array.from({ length: 16 }, (_, at) => apiKeys.touch(at % 2 ? [ID] : [ID, sampleId(2)], NOW_MS)),
        );
        assert.deepEqual(uses.flat().toSorted(), [ID, sampleId(2)].toSorted());
        assert.deepEqual(await apiKeys.touch([ID], NOW_MS + 9), []);
        assert.deepEqual(await apiKeys.touch([sampleId(3), sampleId(2), ID], NOW_MS + 3), []);
        assert.equal((await apiKeys.findByPublicId("public1"))?.lastUsedAtMs, NOW_MS + 9);
        assert.equal((await apiKeys.findByPublicId("public2"))?.lastUsedAtMs, NOW_MS + 3);
      }));
  });
}
