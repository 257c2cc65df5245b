import type { Account } from "../identity/accounts/account.ts";
import { toRfc3339 } from "../kernel/clock.ts";

/** An account in the shape that every answer about users has. */
export function publicUser(account: Account) {
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    role: account.role,
    disabled: account.disabled,
    created_at: toRfc3339(account.createdAtMs),
    last_login_at: account.lastLoginAtMs === null ? null : toRfc3339(account.lastLoginAtMs),
    mfa: { enabled: false, methods: [] },
  };
}
