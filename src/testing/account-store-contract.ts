import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account, AccountPatch, AccountStore } from "../identity/accounts/account.ts";
import { accountListContract } from "./account-list-contract.ts";
import { sampleAccount, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenAccounts = () => Promise<{ readonly accounts: AccountStore; close(): Promise<void> }>;

/** Registers the cases that every `AccountStore` has to pass. */
export function accountStoreContract(open: OpenAccounts): void {
  const withStore = withOpened(open);

  describe("an account store", () => {
    it("gives back every field of an account, by id and by name", () =>
      withStore(async ({ accounts }) => {
        const full = sampleAccount(1, {
          username: "Zoë.Ω-王",
          usernameKey: "zoë.ω-王",
          email: "zoë+tag@exämple.org",
          role: "moderator",
          disabled: true,
          passwordHash: `$2b$12$${"a".repeat(53)}`,
          createdAtMs: 1_700_000_000_123,
          lastLoginAtMs: 253_402_300_799_999,
          passwordChangedAtMs: 0,
          roleChangedAtMs: 1_700_000_000_007,
        });
        const bare = sampleAccount(2, { email: null, passwordHash: null, lastLoginAtMs: null });
        for (const account of [full, bare]) {
          assert.equal(await accounts.create(account), "created");
          assert.deepEqual(await accounts.findById(account.id), account);
          assert.deepEqual(await accounts.findByUsernameKey(account.usernameKey), account);
        }
      }));

    it("finds nothing for an unknown id or name, nor for one that only resembles", () =>
      withStore(async ({ accounts }) => {
        const account = sampleAccount(1, { usernameKey: "straße_1" });
        await accounts.create(account);
        const unknown = [
          "",
          "straße%1",
          "strasse_1",
          "STRASSE_1",
          "straße_1 ",
          "straße_1\0",
          "straße",
          "%",
          "' or '1'='1",
        ];
        for (const name of unknown) assert.equal(await accounts.findByUsernameKey(name), undefined, name);
        for (const id of [...unknown, account.id.toUpperCase(), sampleId(2)]) {
          assert.equal(await accounts.findById(id), undefined, id);
        }
      }));

    it("refuses a taken name and changes nothing by it", () =>
      withStore(async ({ accounts }) => {
        const first = sampleAccount(1, { usernameKey: "ada" });
        const second = sampleAccount(2, { usernameKey: "ada", email: "other@example.org", role: "admin" });
        assert.equal(await accounts.create(first), "created");
        assert.equal(await accounts.create(second), "conflict");
        assert.deepEqual(await accounts.findByUsernameKey("ada"), first);
        assert.equal(await accounts.findById(second.id), undefined);
      }));

    it("lets one of many concurrent creations of a name win", () =>
      withStore(async ({ accounts }) => {
        const rivals = Array.from({ length: 32 }, (_, n) => sampleAccount(n, { usernameKey: "ada" }));
        const outcomes = await Promise.all(rivals.map((account) => accounts.create(account)));
        assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
        const winner = rivals[outcomes.indexOf("created")];
        assert.deepEqual(await accounts.findByUsernameKey("ada"), winner);
        assert.equal((await accounts.list({ limit: 200 })).length, 1);
      }));

    it("changes each patched field alone, and is seen at once", () =>
      withStore(async ({ accounts }) => {
        let expected: Account = sampleAccount(1);
        await accounts.create(expected);
        await accounts.create(sampleAccount(2));
        const patches: AccountPatch[] = [
          { email: "NEW@example.org" },
          { email: null },
          { role: "moderator" },
          { disabled: true },
          { disabled: false },
          { passwordHash: "new" },
          { passwordHash: null },
          { lastLoginAtMs: 1_700_000_000_999 },
          { passwordChangedAtMs: 1_700_000_001_001, role: "user", roleChangedAtMs: 1_700_000_001_002 },
          {},
        ];
        for (const patch of patches) {
          expected = { ...expected, ...patch };
          assert.deepEqual(await accounts.update(expected.id, patch), { kind: "updated", account: expected });
          assert.deepEqual(await accounts.findById(expected.id), expected);
          assert.deepEqual(await accounts.findByUsernameKey(expected.usernameKey), expected);
        }
        assert.deepEqual(await accounts.findById(sampleId(2)), sampleAccount(2));
      }));

    it("dates a change of role only where it is one", () =>
      withStore(async ({ accounts }) => {
        const account = sampleAccount(1);
        await accounts.create(account);
        for (const patch of [
          { role: account.role, roleChangedAtMs: account.roleChangedAtMs + 1 },
          { roleChangedAtMs: account.roleChangedAtMs + 2 },
        ]) {
          assert.deepEqual(await accounts.update(account.id, patch), { kind: "updated", account });
        }
        const raised = { role: "admin", roleChangedAtMs: account.roleChangedAtMs + 3 } as const;
        await accounts.update(account.id, raised);
        assert.deepEqual(await accounts.findById(account.id), { ...account, ...raised });
      }));

    it("dates a change after the one before, also by a clock that was set back", () =>
      withStore(async ({ accounts }) => {
        const account = sampleAccount(1);
        await accounts.create(account);
        await accounts.update(account.id, { passwordHash: "new", passwordChangedAtMs: 7 });
        await accounts.update(account.id, { role: "admin", roleChangedAtMs: 7 });
        assert.deepEqual(await accounts.findById(account.id), {
          ...account,
          passwordHash: "new",
          passwordChangedAtMs: account.passwordChangedAtMs + 1,
          role: "admin",
          roleChangedAtMs: account.roleChangedAtMs + 2,
        });
      }));

    it("takes nothing from a patch but the patchable fields that are set", () =>
      withStore(async ({ accounts }) => {
        const account = sampleAccount(1);
        await accounts.create(account);
        const hostile = {
          id: "other",
          username: "root",
          usernameKey: "root",
          createdAtMs: 1,
          is_admin: 1,
          email: undefined,
          role: undefined,
        };
        const outcome = await accounts.update(account.id, hostile as unknown as AccountPatch);
        assert.deepEqual(outcome, { kind: "updated", account });
        assert.deepEqual(await accounts.findById(account.id), account);
        assert.equal(await accounts.findByUsernameKey("root"), undefined);
      }));

    it("says so where there is nobody to update", () =>
      withStore(async ({ accounts }) => {
        assert.deepEqual(await accounts.update(sampleId(1), { role: "admin" }), { kind: "not_found" });
      }));

    it("upgrades a password hash only while it is the one that was verified", () =>
      withStore(async ({ accounts }) => {
        await accounts.create(sampleAccount(1, { passwordHash: "old" }));
        await accounts.create(sampleAccount(2, { passwordHash: null }));
        assert.equal(await accounts.upgradePasswordHash(sampleId(1), "other", "new"), false);
        assert.equal(await accounts.upgradePasswordHash(sampleId(2), "old", "new"), false);
        assert.equal(await accounts.upgradePasswordHash(sampleId(3), "old", "new"), false);
        assert.equal(await accounts.upgradePasswordHash(sampleId(1), "old", "new"), true);
        assert.equal(await accounts.upgradePasswordHash(sampleId(1), "old", "newer"), false);
        assert.equal((await accounts.findById(sampleId(1)))?.passwordHash, "new");
        assert.equal((await accounts.findById(sampleId(2)))?.passwordHash, null);
      }));

    it("keeps what it holds to itself: changing an object that was passed or returned changes nothing", () =>
      withStore(async ({ accounts }) => {
        const passed = { ...sampleAccount(1) };
        await accounts.create(passed);
        Object.assign(passed, { role: "admin" });
        for (const find of [accounts.findById(passed.id), accounts.findByUsernameKey(passed.usernameKey)]) {
          const found = (await find)!;
          assert.equal(found.role, "user");
          Reflect.set(found, "role", "admin");
        }
        assert.deepEqual(await accounts.findById(passed.id), sampleAccount(1));
      }));

    lastAdminCases(withStore);
    accountListContract(withStore);
  });
}

function lastAdminCases(withStore: ReturnType<typeof withOpened<{ readonly accounts: AccountStore }>>): void {
  it("never gives up its last enabled admin", () =>
    withStore(async ({ accounts }) => {
      const admin = sampleAccount(1, { role: "admin" });
      await accounts.create(admin);
      await accounts.create(sampleAccount(2, { role: "admin", disabled: true }));
      await accounts.create(sampleAccount(3, { role: "moderator" }));
      const losing: AccountPatch[] = [
        { role: "user" },
        { role: "moderator" },
        { disabled: true },
        { disabled: true, role: "admin" },
        { role: "user", disabled: true, email: "x@example.org" },
      ];
      for (const patch of losing) {
        assert.deepEqual(await accounts.update(admin.id, patch), { kind: "last_admin" });
        assert.deepEqual(await accounts.findById(admin.id), admin);
      }
      assert.equal((await accounts.update(admin.id, { email: null })).kind, "updated");
      assert.equal((await accounts.update(sampleId(2), { role: "user" })).kind, "updated");
      assert.equal((await accounts.update(sampleId(3), { role: "admin" })).kind, "updated");
      assert.equal((await accounts.update(admin.id, { disabled: true })).kind, "updated");
    }));

  it("keeps one of several admins who are demoted or disabled at once", () =>
    withStore(async ({ accounts }) => {
      const admins = Array.from({ length: 8 }, (_, n) => sampleAccount(n, { role: "admin" }));
      for (const admin of admins) await accounts.create(admin);
      const outcomes = await Promise.all(
        admins.map(({ id }, n) => accounts.update(id, n % 2 === 0 ? { role: "user" } : { disabled: true })),
      );
      assert.equal(outcomes.filter((outcome) => outcome.kind === "last_admin").length, 1);
      const left = (await accounts.list({ limit: 20 })).filter(
        ({ role, disabled }) => role === "admin" && !disabled,
      );
      assert.equal(left.length, 1);
    }));
}
