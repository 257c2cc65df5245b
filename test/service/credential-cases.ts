/**
 * What each way to show a credential comes to in each state of its account. Everybody in it is an admin at first, so
 * that `opens` tells what a lowered role takes away:
 *
 * - `opens`: it counts, and opens the admin route too; `counts`: it counts, and the admin route answers 403
 *   `insufficient_role`; `204`: it counts, and is not a way to the admin route.
 * - A code: it is refused with 401 and this code, and what was refused leads nowhere.
 * - `active`, `active as user`, `inactive`: what introspection says of it.
 */
export const STATES = [
  "active",
  "disabled",
  "locked",
  "password changed",
  "session ended",
  "role lowered",
] as const;
export type State = (typeof STATES)[number];

type Row = readonly [
  active: string,
  disabled: string,
  locked: string,
  passwordChanged: string,
  sessionEnded: string,
  roleLowered: string,
];

const password: Row = [
  "opens",
  "invalid_credentials",
  "invalid_credentials",
  "invalid_credentials",
  "opens",
  "counts",
];
/** A key is no sign-in: neither a password nor a session is behind it, but its owner is. */
const key: Row = ["opens", "unauthenticated", "opens", "opens", "opens", "counts"];
const never: Row = ["inactive", "inactive", "inactive", "inactive", "inactive", "inactive"];

export const TABLE = {
  "password as JSON": password,
  "password as a form": password,
  "password of a browser": password,
  "access token": ["opens", "token_revoked", "opens", "token_revoked", "token_revoked", "counts"],
  "refresh token": ["opens", "token_revoked", "opens", "token_revoked", "token_revoked", "counts"],
  "session cookie": [
    "opens",
    "unauthenticated",
    "opens",
    "unauthenticated",
    "unauthenticated",
    "unauthenticated",
  ],
  "API key in X-API-Key": key,
  "API key as a bearer": key,
  "API key for a client_credentials token": ["opens", "invalid_client", "opens", "opens", "opens", "counts"],
  "client_credentials token": ["opens", "token_revoked", "opens", "opens", "opens", "counts"],
  "introspected access token": ["active", "inactive", "active", "inactive", "inactive", "active as user"],
  "introspected refresh token": ["active", "inactive", "active", "inactive", "inactive", "active"],
  "introspected client_credentials token": ["active", "inactive", "active", "active", "active", "active"],
  "introspected API key": never,
  "introspected session cookie": never,
  "password confirmed with an access token": [
    "204",
    "token_revoked",
    "invalid_credentials",
    "token_revoked",
    "token_revoked",
    "204",
  ],
  "password confirmed with a session cookie": [
    "204",
    "unauthenticated",
    "invalid_credentials",
    "unauthenticated",
    "unauthenticated",
    "unauthenticated",
  ],
} as const satisfies Readonly<Record<string, Row>>;
export type Path = keyof typeof TABLE;
