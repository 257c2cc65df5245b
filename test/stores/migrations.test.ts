import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { it } from "node:test";
import { openStores } from "../../src/stores/open.ts";
import { sampleAccount, sampleSession } from "../../src/testing/samples.ts";
import { createDatabase, temporaryDirectory } from "./temporary-stores.ts";

it("migration 0003 keeps accounts, and ends no session that was good before it", async () => {
  const { directory, remove } = temporaryDirectory();
  try {
    const path = await createDatabase(directory);
    const before = await openStores({ databaseUrl: `sqlite:${path}` });
    await before.accounts.create(sampleAccount(1, { role: "admin" }));
    await before.sessions.start(sampleSession(1));
    await before.close();
    const older = new DatabaseSync(path);
    older.exec("drop table audit_entries; drop table audit_statements; drop table audit_head");
    older.exec("drop table setting_overrides");
    older.exec(
      "drop table totp_factors; drop table recovery_codes; drop table passkeys; drop table challenges",
    );
    older.exec("alter table sessions drop column mfa");
    older.exec("drop table lockouts; alter table accounts drop column role_changed_at_ms");
    older.exec("delete from kysely_migration where name >= '0003'");
    older.close();

    const stores = await openStores({ databaseUrl: `sqlite:${path}` });
    try {
      assert.ok((await stores.migrate()).includes("0003-account-states"));
      const account = await stores.accounts.findById(sampleAccount(1).id);
      assert.deepEqual(account, sampleAccount(1, { role: "admin", roleChangedAtMs: 0 }));
      assert.ok((await stores.sessions.findById(sampleSession(1).id))!.authenticatedAtMs >= 0);
      const changed = await stores.accounts.update(account.id, { email: null });
      assert.equal(changed.kind, "updated");
      assert.equal(await stores.lockouts.unlock("nobody", 1), false);
    } finally {
      await stores.close();
    }
  } finally {
    remove();
  }
});
