import type { Awaitable } from "../../kernel/awaitable.ts";
import type { Role, User } from "../../kernel/principal.ts";

/** Who can sign in. Lives as long as its row; a disabled account is refused at its next request. */
export interface Account {
  readonly id: string;
  /** As chosen: NFKC, trimmed, case kept. */
  readonly username: string;
  /** The one canonical form that is looked up, limited and audited (see `canonicalUsername`). */
  readonly usernameKey: string;
  readonly email: string | null;
  readonly role: Role;
  readonly disabled: boolean;
  /** A bcrypt hash, or `null` for an account that cannot sign in with a password. */
  readonly passwordHash: string | null;
  readonly createdAtMs: number;
  readonly lastLoginAtMs: number | null;
  readonly passwordChangedAtMs: number;
  /** When the role last became another one. */
  readonly roleChangedAtMs: number;
}

/** What may change about an account, each field on its own. */
export type AccountPatch = Partial<
  Pick<Account, "email" | "role" | "disabled" | "passwordHash" | "lastLoginAtMs" | "passwordChangedAtMs"> & {
    /** The instant of the change; taken only where `role` is another than before. */
    readonly roleChangedAtMs: number;
  }
>;

export type UpdateOutcome =
  | { readonly kind: "updated"; readonly account: Account }
  | { readonly kind: "not_found" }
  /** The change would have left no enabled admin; nothing was changed. */
  | { readonly kind: "last_admin" };

export interface AccountQuery {
  /** Items after this id, in order of id (and so of creation). */
  readonly afterId?: string;
  readonly limit: number;
  /** Part of a user name or e-mail address, in any case. */
  readonly search?: string;
}

/** The port of accounts. What is found is live: as of the last commit, by whichever process. */
export interface AccountStore {
  findById(id: string): Awaitable<Account | undefined>;
  findByUsernameKey(usernameKey: string): Awaitable<Account | undefined>;
  list(query: AccountQuery): Promise<readonly Account[]>;
  /** `conflict` where the user name is taken; decided by the database, so that two at once cannot both win. */
  create(account: Account): Promise<"created" | "conflict">;
  /** Atomic, and never leaves the store without an enabled admin if it had one. */
  update(id: string, patch: AccountPatch): Promise<UpdateOutcome>;
  /** Sets a better hash only while the account still has `oldHash`, so that a password change is never undone. */
  upgradePasswordHash(id: string, oldHash: string, newHash: string): Promise<boolean>;
}

/** The part of an account that handlers see. */
export function toUser(account: Account): User {
  return { id: account.id, username: account.username, email: account.email, role: account.role };
}

/** Whether an account counts towards "there is always an enabled admin". */
export function isEnabledAdmin(account: Account): boolean {
  return account.role === "admin" && !account.disabled;
}

/** The account after a patch. Only the patchable fields are taken, whatever else the object carries. */
export function patchAccount(account: Account, patch: AccountPatch): Account {
  const { email, role, disabled, passwordHash, lastLoginAtMs, passwordChangedAtMs, roleChangedAtMs } = patch;
  const isNewRole = role !== undefined && role !== account.role;
  return {
    ...account,
    ...(email !== undefined && { email }),
    ...(role !== undefined && { role }),
    ...(disabled !== undefined && { disabled }),
    ...(passwordHash !== undefined && { passwordHash }),
    ...(lastLoginAtMs !== undefined && { lastLoginAtMs }),
    ...(passwordChangedAtMs !== undefined && {
      passwordChangedAtMs: instantOfChange(account, passwordChangedAtMs),
    }),
    ...(isNewRole &&
      roleChangedAtMs !== undefined && { roleChangedAtMs: instantOfChange(account, roleChangedAtMs) }),
  };
}

/** When an account's credentials and rights last changed. */
export type AccountChanges = Pick<Account, "passwordChangedAtMs" | "roleChangedAtMs">;

/**
 * When a sign-in counts as made (ms): not before the changes that the account had seen when its password was proved,
 * although the clock may have been set back since. See `docs/decisions/0008-password-change-as-not-before.md`.
 */
export function instantOfSignIn(
  { passwordChangedAtMs, roleChangedAtMs }: AccountChanges,
  nowMs: number,
): number {
  return Math.max(nowMs, passwordChangedAtMs, roleChangedAtMs);
}

/** When a change of password or role counts as made (ms): after every sign-in that knew only the changes before it. */
export function instantOfChange(
  { passwordChangedAtMs, roleChangedAtMs }: AccountChanges,
  nowMs: number,
): number {
  return Math.max(nowMs, passwordChangedAtMs + 1, roleChangedAtMs + 1);
}

/** The form in which names, addresses and what is searched in them are compared: any case, NFKC. */
export function searchForm(text: string): string {
  return text.toLowerCase().normalize("NFKC");
}
