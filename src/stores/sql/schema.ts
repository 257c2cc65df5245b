/**
 * The tables as the database returns them. Ids are text, instants integers of milliseconds since the epoch, booleans
 * 0 or 1, lists JSON text (see `columns.ts`); nothing here belongs to one database.
 */
export interface Schema {
  accounts: AccountRow;
  sessions: SessionRow;
  refresh_tokens: RefreshTokenRow;
  revoked_tokens: RevokedTokenRow;
  api_keys: ApiKeyRow;
  lockouts: LockoutRow;
  audit_entries: AuditEntryRow;
  audit_statements: AuditStatementRow;
  audit_head: AuditHeadRow;
  setting_overrides: SettingOverridesRow;
  totp_factors: TotpFactorRow;
  recovery_codes: RecoveryCodeRow;
  passkeys: PasskeyRow;
  challenges: ChallengeRow;
}

export interface AccountRow {
  id: string;
  username: string;
  username_key: string;
  email: string | null;
  /** The e-mail address as it is searched: its case folded by us, since databases differ beyond ASCII. */
  email_key: string | null;
  role: string;
  disabled: number;
  password_hash: string | null;
  created_at_ms: number;
  last_login_at_ms: number | null;
  password_changed_at_ms: number;
  role_changed_at_ms: number;
}

export interface SessionRow {
  id: string;
  user_id: string;
  kind: string;
  secret_hash: string | null;
  user_agent: string | null;
  address: string;
  created_at_ms: number;
  last_seen_at_ms: number;
  authenticated_at_ms: number;
  mfa: number;
  expires_at_ms: number;
  idle_expires_at_ms: number;
  ended_at_ms: number | null;
}

export interface RefreshTokenRow {
  hash: string;
  session_id: string;
  user_id: string;
  issued_at_ms: number;
  expires_at_ms: number;
  used_at_ms: number | null;
  successor_hash: string | null;
}

export interface RevokedTokenRow {
  token_id: string;
  expires_at_ms: number;
}

export interface LockoutRow {
  name_hash: string;
  place_hash: string;
  failures: number;
  locked_until_ms: number | null;
  signed_in_at_ms: number | null;
  expires_at_ms: number;
}

export interface ApiKeyRow {
  id: string;
  public_id: string;
  secret_hash: string;
  previous_secret_hash: string | null;
  previous_expires_at_ms: number | null;
  name: string;
  owner_id: string | null;
  scopes: string;
  address_ranges: string;
  rate_limits: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
  last_used_at_ms: number | null;
}

export interface AuditEntryRow {
  seq: number;
  previous_hash: string;
  hash: string;
  at_ms: number;
  type: string;
  outcome: string;
  actor_kind: string;
  actor_id: string | null;
  actor_name: string | null;
  subject: string | null;
  request_id: string | null;
  address: string | null;
  user_agent: string | null;
  method: string | null;
  path: string | null;
  reason: string | null;
  count: number;
  details: string | null;
}

export interface AuditStatementRow {
  kind: string;
  seq: number;
  hash: string;
  at_ms: number;
  public_key: string;
  signature: string;
}

/** One row: the latest entry. Whoever appends has it locked. */
export interface AuditHeadRow {
  id: number;
  seq: number;
  hash: string;
}

/** One row, `current`; the overrides are JSON, by the names of their settings. */
export interface SettingOverridesRow {
  id: string;
  overrides: string;
}

/** One a user; pending until `confirmed_at_ms` is set. */
export interface TotpFactorRow {
  user_id: string;
  id: string;
  sealed_secret: string;
  created_at_ms: number;
  confirmed_at_ms: number | null;
  last_step: number | null;
}

/** A row is a code that has not been used. */
export interface RecoveryCodeRow {
  user_id: string;
  hash: string;
}

export interface PasskeyRow {
  id: string;
  user_id: string;
  credential_id: string;
  public_key: string;
  counter: number;
  name: string;
  transports: string;
  created_at_ms: number;
  last_used_at_ms: number | null;
}

export interface ChallengeRow {
  hash: string;
  purpose: string;
  user_id: string | null;
  bound_to: string | null;
  session_kind: string | null;
  password_changed_at_ms: number;
  role_changed_at_ms: number;
  tries: number;
  expires_at_ms: number;
}
