import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiKey } from "../../src/identity/api-keys/api-key.ts";
import { createApiKeys } from "../../src/identity/api-keys/api-keys.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { ask } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const HOUR = 3_600_000;

describe("bad API keys", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const use = (key: string) => ask(service, "GET", "/protected", { "x-api-key": key });
  const keys = () =>
    createApiKeys({
      store: service.stores.apiKeys,
      random: systemRandom,
      events: { record: () => undefined },
    });
  const actAt = (atMs: number) => ({ atMs, actor: { kind: "operator" as const } });
  /** A key made at some time, straight in the store. */
  const makeAt = (atMs: number, wanted: Partial<ApiKey> = {}) =>
    keys().create(
      {
        name: "k",
        ownerId: null,
        scopes: [],
        addressRanges: [],
        rateLimits: [],
        expiresAtMs: null,
        ...wanted,
      },
      actAt(atMs),
    );

  it("expire, and their old secrets with the overlap", async () => {
    const now = Date.now();
    const live = await makeAt(now, { expiresAtMs: now + HOUR });
    const expired = await makeAt(now - HOUR, { expiresAtMs: now - 1 });
    assert.equal((await use(live.text)).status, 200);
    assert.equal((await use(expired.text)).status, 401);

    const inOverlap = await makeAt(now);
    await keys().rotate(inOverlap.apiKey, HOUR, actAt(now));
    assert.equal((await use(inOverlap.text)).status, 200);
    const before_ = await makeAt(now - 2 * HOUR);
    const rotated = await keys().rotate(before_.apiKey, HOUR, actAt(now - 2 * HOUR));
    assert.equal((await use(before_.text)).status, 401);
    assert.equal((await use(rotated!.text)).status, 200);
  });

  it("all answer alike, whatever is wrong with them, and the log is told which", async () => {
    const now = Date.now();
    const good = await makeAt(now);
    const other = await makeAt(now);
    const revoked = await makeAt(now);
    await keys().revoke(revoked.apiKey, actAt(now));
    const disabledId = await service.createUser("dora");
    const ofDisabled = await makeAt(now, { ownerId: disabledId });
    await service.stores.accounts.update(disabledId, { disabled: true });
    // A right checksum, but the secret of another key or a public id that nobody has.
    const rewritten = await keys().rotate(other.apiKey, 0, actAt(now));
    const bad = {
      empty: "",
      nonsense: "nonsense",
      "wrong checksum": `${good.text.slice(0, -1)}${good.text.endsWith("0") ? "1" : "0"}`,
      truncated: good.text.slice(0, -1),
      "in lower case": good.text.toLowerCase(),
      "rotated out": other.text,
      revoked: revoked.text,
      expired: (await makeAt(now - HOUR, { expiresAtMs: now - 1 })).text,
      "from elsewhere": (await makeAt(now, { addressRanges: ["10.0.0.0/8"] })).text,
      "of a disabled user": ofDisabled.text,
    };
    assert.equal((await use(rewritten!.text)).status, 200);
    assert.equal((await use(good.text)).status, 200);

    const seen = new Map<string, string[]>();
    for (const [how, key] of Object.entries(bad)) {
      const { status, headers, body } = await use(key);
      const plain = [...headers].filter(([name]) => !["date", "x-request-id"].includes(name));
      assert.equal(body.instance, headers.get("x-request-id"));
      const text = JSON.stringify({ status, plain, body: { ...body, instance: "" } });
      seen.set(text, [...(seen.get(text) ?? []), how]);
    }
    assert.deepEqual([...seen.values()], [Object.keys(bad)]);
    assert.match([...seen.keys()][0]!, /"status":401.*"code":"unauthenticated"/);

    const reasons = service.events
      .filter(({ name }) => name === "api_key.rejected")
      .map(({ reason }) => reason);
    assert.equal(reasons.includes("unauthenticated: key is revoked"), true);
    assert.equal(reasons.includes("unauthenticated: key has expired"), true);
    const log = JSON.stringify(service.events);
    for (const key of Object.values(bad).filter((text) => text.length > 20))
      assert.equal(log.includes(key), false);
  });
});
