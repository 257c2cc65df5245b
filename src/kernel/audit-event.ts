/** The names of security events, in the log and in the audit trail alike. */
export const EVENT_NAMES = [
  "auth.login.succeeded",
  "auth.login.failed",
  "auth.logout",
  "auth.token.rejected",
  "auth.token.refreshed",
  "auth.token.reused",
  "auth.session.started",
  "auth.session.ended",
  "auth.mfa.challenged",
  "auth.mfa.succeeded",
  "auth.mfa.failed",
  "auth.mfa.enrolled",
  "auth.mfa.removed",
  "auth.mfa.renewed",
  "auth.password.changed",
  "api_key.created",
  "api_key.used_first",
  "api_key.rotated",
  "api_key.revoked",
  "api_key.rejected",
  "rate_limit.exceeded",
  "csrf.rejected",
  "https.rejected",
  "access.denied",
  "csp.violation",
  "user.created",
  "user.updated",
  "user.disabled",
  "settings.changed",
  "store.degraded",
  "store.recovered",
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** Who acted: a person, an API key, nobody known, or the operator at the command line. */
export type Actor =
  | { readonly kind: "user"; readonly id: string; readonly name: string }
  | { readonly kind: "api_key"; readonly id: string; readonly name: string }
  | { readonly kind: "anonymous" }
  | { readonly kind: "operator" }
  | { readonly kind: "system" };

/** Who does something, when and from where: what every event of it says. */
export interface Act {
  readonly atMs: number;
  readonly actor: Actor;
  readonly requestId?: string;
  /** The place in a distributed trace (W3C Trace Context), where there is one. */
  readonly traceId?: string;
  readonly spanId?: string;
  readonly address?: string;
  readonly userAgent?: string;
  readonly method?: string;
  readonly path?: string;
}

/** A fact in private words. It holds no secret; text chosen by a caller is escaped by whoever writes it out. */
export interface AuditEvent extends Act {
  readonly name: EventName;
  readonly outcome: "success" | "failure";
  /** What it was done to: a user, session or key id, or the name that was tried. */
  readonly subject?: string;
  /** Private words on why. */
  readonly reason?: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Where events go. Throwing means the fact could not be recorded. */
export interface EventSink {
  record(event: AuditEvent): void | Promise<void>;
  /** Throws `Outage` while facts are known not to be recordable: asked before an act, so that it is refused undone. */
  assertWritable?(): void;
}
