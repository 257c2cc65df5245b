import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApiKey, ApiKeyStore } from "../../src/identity/api-keys/api-key.ts";
import type { NewApiKey } from "../../src/identity/api-keys/api-keys.ts";
import { createApiKeys } from "../../src/identity/api-keys/api-keys.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { SAMPLE_NOW_MS as NOW_MS } from "../../src/testing/samples.ts";

const HOUR_MS = 3_600_000;
const HERE = "192.0.2.1";
const ACT = { atMs: NOW_MS, actor: { kind: "operator" } } as const;
const WANTED: NewApiKey = {
  name: "job runner",
  ownerId: null,
  scopes: [],
  addressRanges: [],
  rateLimits: [],
  expiresAtMs: null,
};

/** Keys that were proved once already, and what another instance, which remembers nothing, says of a text. */
async function proved(wanted: Partial<NewApiKey> = {}) {
  const store = createMemoryStores().apiKeys;
  const open = (over: ApiKeyStore = store) =>
    createApiKeys({ store: over, random: systemRandom, events: { record: () => undefined } });
  const keys = open();
  const { apiKey, text } = await keys.create({ ...WANTED, ...wanted }, ACT);
  const say = async (of: string, address: string, nowMs: number) => {
    const outcome = await keys.verify(of, address, nowMs);
    const fresh = await open().verify(of, address, nowMs);
    assert.deepEqual(outcome, fresh, "what is remembered changes no answer");
    return outcome.kind === "valid" ? "valid" : outcome.cause;
  };
  assert.equal(await say(text, HERE, NOW_MS), "valid");
  return {
    keys,
    store,
    open,
    apiKey,
    text,
    say: (of = text, address = HERE, nowMs = NOW_MS) => say(of, address, nowMs),
  };
}

describe("an API key that was proved before", () => {
  it("is refused from the request on that follows its revocation", async () => {
    const { keys, apiKey, say } = await proved();
    await keys.revoke(apiKey, ACT);
    assert.equal(await say(), "key is revoked");
  });

  it("is refused from the millisecond on in which it expires, and again after a look back", async () => {
    const { text, say } = await proved({ expiresAtMs: NOW_MS + HOUR_MS });
    assert.equal(await say(text, HERE, NOW_MS + HOUR_MS - 1), "valid");
    assert.equal(await say(text, HERE, NOW_MS + HOUR_MS), "key has expired");
  });

  it("is refused from elsewhere", async () => {
    const { text, say } = await proved({ addressRanges: ["192.0.2.0/24"] });
    assert.equal(await say(text, "198.51.100.1"), "address is outside the key's ranges");
    assert.equal(await say(text), "valid");
  });

  it("has its old secret no longer than the overlap, and its new one at once", async () => {
    const { keys, apiKey, text, say } = await proved();
    const rotated = await keys.rotate(apiKey, HOUR_MS, ACT);
    assert.equal(await say(rotated!.text), "valid");
    assert.equal(await say(text, HERE, NOW_MS + HOUR_MS - 1), "valid");
    assert.equal(await say(text, HERE, NOW_MS + HOUR_MS), "secret was rotated out");
    assert.equal(await say(rotated!.text, HERE, NOW_MS + HOUR_MS), "valid");
  });

  it("R6: lends its proof to no other text, however alike", async () => {
    const { text, say, keys } = await proved();
    const other = await keys.create(WANTED, ACT);
    assert.equal(await say(other.text), "valid");
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
      assert.notEqual(await say(changed), "valid", changed);
    }
    const [, , secret, checksum] = text.split("_");
    const publicId = other.text.split("_")[1];
    for (const alike of [`kyros_${publicId}_${secret}_${checksum}`, ` ${text}`, `${text}\0`, text.slice(1)]) {
      assert.notEqual(await say(alike), "valid", alike);
    }
    assert.equal(await say(), "valid");
  });

  it("is proved anew by a store that changes its rows in place", async () => {
    const { open, text, apiKey, store } = await proved();
    const row: { -readonly [K in keyof ApiKey]: ApiKey[K] } = { ...apiKey };
    const keys = open({ ...store, findByPublicId: () => row });
    assert.equal((await keys.verify(text, HERE, NOW_MS)).kind, "valid");
    row.secretHash = "of another secret";
    assert.deepEqual(await keys.verify(text, HERE, NOW_MS), { kind: "invalid", cause: "wrong secret" });
  });
});
