import type { EventName } from "../../kernel/audit-event.ts";
import type { AuditEntry } from "./audit-store.ts";

/** The version of the schema (https://schema.ocsf.io) whose names are used here. */
const SCHEMA_VERSION = "1.3.0";
const CLASSES = {
  account_change: {
    uid: 3001,
    name: "Account Change",
    category: 3,
    categoryName: "Identity & Access Management",
  },
  authentication: {
    uid: 3002,
    name: "Authentication",
    category: 3,
    categoryName: "Identity & Access Management",
  },
  api_activity: { uid: 6003, name: "API Activity", category: 6, categoryName: "Application Activity" },
} as const;
/** Activity of every class for what the schema has no number for; its name then says what it was. */
const OTHER = 99;

interface Mapping {
  readonly class: keyof typeof CLASSES;
  readonly activity: number;
  readonly activityName: string;
}

const map = (name: keyof typeof CLASSES, activity: number, activityName: string): Mapping => ({
  class: name,
  activity,
  activityName,
});

const MAPPINGS: Readonly<Record<EventName, Mapping>> = {
  "auth.login.succeeded": map("authentication", 1, "Logon"),
  "auth.login.failed": map("authentication", 1, "Logon"),
  "auth.logout": map("authentication", 2, "Logoff"),
  "auth.session.started": map("authentication", OTHER, "Session Started"),
  "auth.session.ended": map("authentication", 2, "Logoff"),
  "auth.token.rejected": map("authentication", OTHER, "Token Rejected"),
  "auth.token.refreshed": map("authentication", OTHER, "Token Refreshed"),
  "auth.token.reused": map("authentication", OTHER, "Token Reused"),
  "auth.mfa.challenged": map("authentication", OTHER, "Second Factor Asked"),
  "auth.mfa.succeeded": map("authentication", OTHER, "Second Factor Proved"),
  "auth.mfa.failed": map("authentication", OTHER, "Second Factor Refused"),
  "auth.mfa.enrolled": map("account_change", 10, "MFA Factor Enable"),
  "auth.mfa.removed": map("account_change", 11, "MFA Factor Disable"),
  "auth.mfa.renewed": map("account_change", OTHER, "Recovery Codes Renewed"),
  "auth.password.changed": map("account_change", 3, "Password Change"),
  "user.created": map("account_change", 1, "Create"),
  "user.updated": map("account_change", OTHER, "Update"),
  "user.disabled": map("account_change", 5, "Disable"),
  "api_key.created": map("api_activity", 1, "Create"),
  "api_key.used_first": map("api_activity", OTHER, "First Use"),
  "api_key.rotated": map("api_activity", 3, "Update"),
  "api_key.revoked": map("api_activity", 4, "Delete"),
  "api_key.rejected": map("api_activity", OTHER, "Key Rejected"),
  "rate_limit.exceeded": map("api_activity", OTHER, "Rate Limited"),
  "csrf.rejected": map("api_activity", OTHER, "CSRF Rejected"),
  "https.rejected": map("api_activity", OTHER, "Plain HTTP Rejected"),
  "access.denied": map("api_activity", OTHER, "Access Denied"),
  "csp.violation": map("api_activity", OTHER, "CSP Violation"),
  "settings.changed": map("api_activity", 3, "Update"),
  "store.degraded": map("api_activity", OTHER, "Store Degraded"),
  "store.recovered": map("api_activity", OTHER, "Store Recovered"),
};

/** What an operator should look at first; the rest is informational, or low where it was refused. */
const SEVERITIES: Partial<Readonly<Record<EventName, number>>> = {
  "auth.token.reused": 4,
  "store.degraded": 4,
  "csrf.rejected": 3,
  "access.denied": 3,
};
const SEVERITY_NAMES = ["Unknown", "Informational", "Low", "Medium", "High"] as const;

/** An entry as an event of the Open Cybersecurity Schema Framework: Authentication, Account Change or API Activity. */
export function toOcsf(entry: AuditEntry): Readonly<Record<string, unknown>> {
  const mapping = MAPPINGS[entry.type];
  const { uid, name, category, categoryName } = CLASSES[mapping.class];
  const failed = entry.outcome === "failure";
  const severity = SEVERITIES[entry.type] ?? (failed ? 2 : 1);
  return {
    class_uid: uid,
    class_name: name,
    category_uid: category,
    category_name: categoryName,
    activity_id: mapping.activity,
    activity_name: mapping.activityName,
    type_uid: uid * 100 + mapping.activity,
    type_name: `${name}: ${mapping.activityName}`,
    severity_id: severity,
    severity: SEVERITY_NAMES[severity],
    status_id: failed ? 2 : 1,
    status: failed ? "Failure" : "Success",
    ...(entry.reason !== null && { status_detail: entry.reason }),
    time: entry.atMs,
    message: entry.type,
    count: entry.count,
    metadata: {
      version: SCHEMA_VERSION,
      product: { name: "Kyros", vendor_name: "Kyros" },
      uid: entry.hash,
      sequence: entry.seq,
      event_code: entry.type,
      log_name: "audit",
      ...(entry.requestId !== null && { correlation_uid: entry.requestId }),
    },
    actor: { user: actorUser(entry) },
    src_endpoint: entry.address === null ? { name: "kyros" } : { ip: entry.address },
    ...(entry.method !== null && {
      http_request: {
        http_method: entry.method,
        url: { path: entry.path ?? "" },
        ...(entry.userAgent !== null && { user_agent: entry.userAgent }),
        ...(entry.requestId !== null && { uid: entry.requestId }),
      },
    }),
    ...memberOfClass(mapping, entry),
    ...(entry.details !== null && { unmapped: { details: entry.details } }),
  };
}

/** What its class asks for beside what all have. */
function memberOfClass(mapping: Mapping, entry: AuditEntry): Readonly<Record<string, unknown>> {
  switch (mapping.class) {
    case "authentication":
      return { user: subjectUser(entry), service: { name: "kyros" } };
    case "account_change":
      return { user: subjectUser(entry) };
    case "api_activity":
      return {
        api: { operation: entry.type, service: { name: "kyros" } },
        ...(entry.subject !== null && { resources: [{ uid: entry.subject }] }),
      };
  }
}

/** User types of the schema: 1 a person, 3 the system, 4 a service. */
const USER_TYPES = { user: 1, api_key: 4, anonymous: 0, operator: 3, system: 3 } as const;

function actorUser({ actorKind, actorId, actorName }: AuditEntry) {
  return {
    name: actorName ?? actorKind,
    ...(actorId !== null && { uid: actorId }),
    type_id: USER_TYPES[actorKind],
  };
}

/** Whom it is about: the actor's own account, or the one that an administrator changed or a stranger tried. */
function subjectUser(entry: AuditEntry) {
  if (entry.type === "auth.login.failed") return { name: entry.subject ?? "unknown", type_id: 0 };
  if (MAPPINGS[entry.type].class === "account_change" && entry.subject !== entry.actorId) {
    return { uid: entry.subject ?? "unknown", type_id: 1 };
  }
  return actorUser(entry);
}
