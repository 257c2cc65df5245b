import { createPasswords } from "../../src/crypto/password.ts";
import type { Role } from "../../src/kernel/principal.ts";
import { systemRandom, uuidv7 } from "../../src/kernel/random.ts";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";

export const PASSWORD = "correct horse battery staple";

export interface NewUser {
  readonly name: string;
  readonly role?: Role;
  readonly password?: string;
  /** The cost of the hash; the lowest that may be configured unless told. */
  readonly cost?: number;
}

/** Creates a user straight in the store, and returns the id. */
export async function addUser(
  { accounts }: Pick<Stores, "accounts">,
  { name, role = "user", password = PASSWORD, cost = 10 }: NewUser,
): Promise<string> {
  const now = Date.now();
  const id = uuidv7(now, systemRandom);
  await accounts.create({
    id,
    username: name,
    usernameKey: name.toLowerCase(),
    email: `${name}@example.org`,
    role,
    disabled: false,
    passwordHash: await createPasswords({ cost }).hash(password),
    createdAtMs: now,
    lastLoginAtMs: null,
    passwordChangedAtMs: now - 1,
    roleChangedAtMs: now - 1,
  });
  return id;
}

/** The same in a database that nobody may have opened yet, without the process that `kyros user create` takes. */
export async function addUsers(databaseUrl: string, ...users: readonly NewUser[]): Promise<void> {
  const stores = await openStores({ databaseUrl });
  try {
    await stores.migrate();
    for (const user of users) await addUser(stores, user);
  } finally {
    await stores.close();
  }
}
