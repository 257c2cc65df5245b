import type { AccountStore } from "../accounts/account.ts";
import { canonicalUsername } from "../accounts/username.ts";

/**
 * What the trail knows a user by who is asked for by id or by name: the id, and the name that failed sign-ins tried.
 * Anything else stands for itself: the id of a key or session, or a name that nobody has. An id comes first, so that
 * nobody hides behind a name that reads like it.
 */
export async function partiesOf(
  accounts: Pick<AccountStore, "findById" | "findByUsernameKey">,
  user: string,
): Promise<readonly string[]> {
  const key = canonicalUsername(user)?.key;
  const account =
    (await accounts.findById(user)) ??
    (key === undefined ? undefined : await accounts.findByUsernameKey(key));
  if (account !== undefined) return [account.id, account.usernameKey];
  return key === undefined || key === user ? [user] : [user, key];
}
