import type { Account, AccountStore } from "../../identity/accounts/account.ts";
import { isEnabledAdmin, patchAccount, searchForm } from "../../identity/accounts/account.ts";
import { inOrderOfId } from "./order.ts";

/** Accounts in memory: gone with the process. Entities are frozen copies, so nobody changes them but the store. */
export function createMemoryAccountStore(): AccountStore {
  const accounts = new Map<string, Account>();
  const ids = new Map<string, string>();

  function hasOtherEnabledAdmin(id: string): boolean {
    return accounts.values().some((account) => account.id !== id && isEnabledAdmin(account));
  }

  return {
    findById: (id) => accounts.get(id),
    findByUsernameKey(usernameKey) {
      const id = ids.get(usernameKey);
      return id === undefined ? undefined : accounts.get(id);
    },
    async list({ afterId, limit, search }) {
      const matching = inOrderOfId(accounts.values(), afterId).filter(
        (account) => search === undefined || contains(account, searchForm(search)),
      );
      return matching.slice(0, limit);
    },
    async create(account) {
      if (ids.has(account.usernameKey)) return "conflict";
      if (accounts.has(account.id)) throw new Error("an account with this id exists");
      accounts.set(account.id, Object.freeze({ ...account }));
      ids.set(account.usernameKey, account.id);
      return "created";
    },
    async update(id, patch) {
      const before = accounts.get(id);
      if (before === undefined) return { kind: "not_found" };
      const account = Object.freeze(patchAccount(before, patch));
      if (isEnabledAdmin(before) && !isEnabledAdmin(account) && !hasOtherEnabledAdmin(id)) {
        return { kind: "last_admin" };
      }
      accounts.set(id, account);
      return { kind: "updated", account };
    },
    async upgradePasswordHash(id, oldHash, newHash) {
      const account = accounts.get(id);
      if (account === undefined || account.passwordHash !== oldHash) return false;
      accounts.set(id, Object.freeze({ ...account, passwordHash: newHash }));
      return true;
    },
  };
}

function contains(account: Account, form: string): boolean {
  return (
    account.usernameKey.includes(form) || (account.email !== null && searchForm(account.email).includes(form))
  );
}
