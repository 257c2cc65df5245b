import type { Account } from "../identity/accounts/account.ts";
import type { FactorStore, FactorSummary } from "../identity/factors/factor.ts";
import { asksForFactor, NO_FACTORS } from "../identity/factors/factor.ts";
import { toRfc3339 } from "../kernel/clock.ts";

/** An account in the shape that every answer about users has. */
export function publicUser(account: Account, factors: FactorSummary = NO_FACTORS) {
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    role: account.role,
    disabled: account.disabled,
    created_at: toRfc3339(account.createdAtMs),
    last_login_at: account.lastLoginAtMs === null ? null : toRfc3339(account.lastLoginAtMs),
    mfa: {
      enabled: asksForFactor(factors),
      totp: factors.totp,
      passkeys: factors.passkeys,
      recovery_codes_left: factors.recoveryCodesLeft,
    },
  };
}

/** Accounts in that shape, with the factors they have. */
export async function publicUsers(
  stores: { readonly factors: Pick<FactorStore, "summariesOf"> },
  accounts: readonly Account[],
) {
  const factors = await stores.factors.summariesOf(accounts.map(({ id }) => id));
  return accounts.map((account) => publicUser(account, factors.get(account.id)));
}
