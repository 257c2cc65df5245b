import type { TSchema } from "typebox";
import { Type } from "typebox";
import { FACTOR_METHODS } from "../identity/factors/factor.ts";
import { LABEL_PATTERN, LABEL_RULE } from "../kernel/label.ts";
import { ROLES } from "../kernel/principal.ts";

/** Closed objects: a field that is not declared is refused on the way in and never leaves on the way out. */
const closed = { additionalProperties: false };

export const Instant = Type.String({ format: "date-time", description: "RFC 3339, UTC" });
export const Id = Type.String({ format: "uuid", description: "an id (UUIDv7)" });
export const RoleName = Type.Enum([...ROLES]);
/** Longer than any user name or password may be, so that a fault in them is named by the rule it breaks. */
export const UsernameText = Type.String({ minLength: 1, maxLength: 256 });
export const PasswordText = Type.String({ minLength: 1, maxLength: 1024 });
export const Email = Type.String({ format: "email", maxLength: 254, description: "an e-mail address" });
/** What people name their keys and passkeys. */
export const Label = Type.String({ pattern: LABEL_PATTERN, description: LABEL_RULE });

export const Credentials = Type.Object({ username: UsernameText, password: PasswordText }, closed);

/** The password form of OAuth 2.0 libraries: the same, with members that they always send. */
export const CredentialsForm = Type.Object(
  {
    username: UsernameText,
    password: PasswordText,
    // One without a value counts as left out (RFC 6749 sections 3.2 and 4.3.2).
    grant_type: Type.Optional(Type.Enum(["password", ""])),
    scope: Type.Optional(Type.String({ maxLength: 1024 })),
    client_id: Type.Optional(Type.String({ maxLength: 256 })),
    client_secret: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
);

export const TokenPair = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal("bearer"),
  expires_in: Type.Integer({ description: "seconds" }),
  refresh_token: Type.String(),
});

/** What a browser's sign-in answers beside the cookie. */
export const BrowserSession = Type.Object({ id: Id, username: Type.String(), expires_at: Instant });

/** What a sign-in that asked for a second factor goes on with. */
export const MfaToken = Type.String({ minLength: 1, maxLength: 256 });

export const Mfa = Type.Object({
  enabled: Type.Boolean({ description: "a password alone does not sign in" }),
  totp: Type.Boolean(),
  passkeys: Type.Integer(),
  recovery_codes_left: Type.Integer(),
});

export const UserShape = Type.Object({
  id: Id,
  username: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
  role: RoleName,
  disabled: Type.Boolean(),
  created_at: Instant,
  last_login_at: Type.Union([Instant, Type.Null()]),
  mfa: Mfa,
});

export const IdParameter = Type.Object({ id: Id }, closed);

/** The shape of every list: a page of items, and the cursor of the next one. */
export function listOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next_cursor: Type.Union([Type.String(), Type.Null()]) });
}

/** How a page of a list is asked for. A cursor is the id of the last item seen: nothing but an id is ever taken. */
export const PageQuery = {
  limit: Type.Optional(
    Type.String({
      pattern: "^([1-9][0-9]?|1[0-9][0-9]|200)$",
      description: "a whole number from 1 to 200",
    }),
  ),
  cursor: Type.Optional(Id),
};

export const ProblemShape = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: "the request id" }),
    code: Type.String({ description: "stable; see docs/errors.md" }),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { additionalProperties: true, description: "RFC 9457" },
);

/** A refusal on `/oauth/*`. */
export const OAuthErrorShape = Type.Object(
  { ...ProblemShape.properties, error: Type.String(), error_description: Type.String() },
  {
    additionalProperties: true,
    description: "RFC 6749 section 5.2, beside the members of every other problem",
  },
);

/** The refusal of a password sign-in: with `mfa_required`, what to go on with. */
export const FactorRequiredProblem = Type.Object(
  {
    ...ProblemShape.properties,
    mfa_token: Type.Optional(Type.String({ description: "for POST /auth/mfa/verify, within five minutes" })),
    methods: Type.Optional(Type.Array(Type.Enum([...FACTOR_METHODS]))),
  },
  { additionalProperties: true, description: "RFC 9457; `mfa_required` or `invalid_credentials`" },
);
