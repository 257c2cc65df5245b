import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Stores } from "../../src/stores/open.ts";
import { assertOutages, everyCall, fill } from "./every-call.ts";
import { openTemporaryStores } from "./temporary-stores.ts";

async function openFilled(): Promise<Stores & { readonly path: string }> {
  const stores = await openTemporaryStores();
  await fill(stores);
  return stores;
}

describe("an outage of the database", () => {
  it("is what every method of every port throws once it is closed, cached or not", async () => {
    const stores = await openFilled();
    await stores.close();
    await assertOutages(everyCall(stores));
    await assertOutages([
      ["health", () => stores.health()],
      ["migrate", () => stores.migrate()],
      ["pendingMigrations", () => stores.pendingMigrations()],
    ]);
  });

  it("is what they throw where the tables are gone", async () => {
    const stores = await openFilled();
    const stranger = new DatabaseSync(stores.path);
    for (const table of [
      "refresh_tokens",
      "sessions",
      "accounts",
      "api_keys",
      "revoked_tokens",
      "changes",
      "lockouts",
      "audit_entries",
      "audit_statements",
      "audit_head",
      "setting_overrides",
      "totp_factors",
      "recovery_codes",
      "passkeys",
      "challenges",
    ]) {
      stranger.exec(`drop table ${table}`);
    }
    stranger.close();
    await pause(5);
    await assertOutages(everyCall(stores));
    await stores.close();
  });

  it("is what a damaged list is, and never a key without restrictions", async () => {
    const stores = await openFilled();
    const stranger = new DatabaseSync(stores.path);
    for (const damaged of ["", "{}", "null", '"read"', "[1]", '["read"']) {
      stranger.prepare("update api_keys set address_ranges = ?").run(damaged);
      await pause(5);
      await assertOutages([
        ["findByPublicId", () => stores.apiKeys.findByPublicId("public1")],
        ["list", () => stores.apiKeys.list({ limit: 1 })],
      ]);
    }
    stranger.close();
    await stores.close();
  });

  it("is over when the database is back: nothing has to be opened again", async () => {
    const stores = await openFilled();
    const stranger = new DatabaseSync(stores.path);
    stranger.exec("alter table sessions rename to hidden");
    await pause(5);
    await assertOutages([["sessions.findById", () => stores.sessions.listLive("x", 1)]]);
    stranger.exec("alter table hidden rename to sessions");
    await pause(5);
    await stores.health();
    assert.deepEqual(await stores.sessions.listLive("x", 1), []);
    stranger.close();
    await stores.close();
  });
});
