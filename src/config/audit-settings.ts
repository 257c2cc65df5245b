import { auditSinks } from "./audit-kinds.ts";
import { retention } from "./plain-kinds.ts";
import type { Setting } from "./schema.ts";
import { secret } from "./secret-kinds.ts";
import type { Settings } from "./settings.ts";

type AuditSetting = "auditRetentionMs" | "auditSinks" | "auditWebhookSecret";

/** The settings of the audit trail. */
export const AUDIT_SETTINGS: { readonly [Name in AuditSetting]: Setting<Settings[Name]> } = {
  auditRetentionMs: {
    variable: "KYROS_AUDIT_RETENTION",
    kind: retention,
    default: { shown: "none: kept for ever", value: undefined },
    meaning: "How long entries of the audit trail are kept.",
  },
  auditSinks: {
    variable: "KYROS_AUDIT_SINK",
    kind: auditSinks,
    default: { shown: "none", value: [] },
    meaning: "Where entries and checkpoints of the audit trail are also sent, once they are durable.",
  },
  auditWebhookSecret: {
    variable: "KYROS_AUDIT_WEBHOOK_SECRET",
    kind: secret,
    default: { shown: "none; required for a webhook", value: undefined },
    secret: true,
    meaning: "Signs what is sent to webhooks of the audit trail.",
  },
};
