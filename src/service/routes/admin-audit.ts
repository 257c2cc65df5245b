import { Type } from "typebox";
import { partiesOf } from "../../identity/audit/parties.ts";
import type { EventName } from "../../kernel/audit-event.ts";
import { EVENT_NAMES } from "../../kernel/audit-event.ts";
import { fromRfc3339 } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/failure.ts";
import { isLabel } from "../../kernel/label.ts";
import type { FieldError } from "../../kernel/problem.ts";
import { problem } from "../../kernel/problem.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { Filters } from "../audit-cursor.ts";
import { publicAuditEntry } from "../public-audit-entry.ts";
import { Instant, listOf, PageQuery } from "../schemas.ts";
import type { App, Service } from "../service.ts";

const DEFAULT_LIMIT = 50;
const OrNull = Type.Union([Type.String(), Type.Null()]);

const EntryShape = Type.Object({
  seq: Type.Integer({ description: "the entry's number in the chain" }),
  at: Instant,
  type: Type.String(),
  outcome: Type.Enum(["success", "failure"]),
  actor: Type.Object({ kind: Type.String(), id: OrNull, name: OrNull }),
  subject: OrNull,
  request_id: OrNull,
  address: OrNull,
  user_agent: OrNull,
  method: OrNull,
  path: OrNull,
  reason: OrNull,
  count: Type.Integer({ description: "how many events this entry stands for" }),
  details: Type.Unknown(),
  hash: Type.String({ description: "SHA-256 in base64url; see docs/audit.md" }),
});

const Text = (maxLength: number) => Type.Optional(Type.String({ minLength: 1, maxLength }));
const Query = Type.Object(
  {
    type: Text(64),
    user: Text(256),
    from: Text(40),
    to: Text(40),
    limit: PageQuery.limit,
    cursor: Text(128),
  },
  { additionalProperties: false },
);

/** The audit trail, for admins, and for keys of admins that carry the scope. */
export function adminAuditRoutes(app: App, service: Service): void {
  app.get(
    "/admin/audit",
    {
      ...routeGuards.requireRole("admin", { scopes: ["admin:audit:read"] }),
      schema: {
        summary:
          "The audit trail, newest first; user is a user's name or id, the id of a key or session, or a name that was tried",
        querystring: Query,
        response: { 200: listOf(EntryShape) },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const filters = await filtersOf(service, query);
      const before =
        query.cursor === undefined ? undefined : service.auditCursors.read(query.cursor, filters);
      if (query.cursor !== undefined && before === undefined) {
        throw invalid([{ field: "cursor", message: "must be the next_cursor of a page with these filters" }]);
      }
      const limit = query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit);
      const found = await service.stores.audit.list({
        ...filters,
        ...(before && { before }),
        limit: limit + 1,
      });
      const items = found.slice(0, limit);
      reply.header("cache-control", "no-store");
      return {
        items: items.map(publicAuditEntry),
        next_cursor: found.length > limit ? service.auditCursors.issue(items.at(-1)!, filters) : null,
      };
    },
  );
}

async function filtersOf(
  { stores }: Service,
  query: { type?: string; user?: string; from?: string; to?: string },
): Promise<Filters> {
  const { type, user } = query;
  const errors: FieldError[] = [];
  if (type !== undefined && !isEventName(type)) {
    errors.push({ field: "type", message: "must be the name of an event, like auth.login.failed" });
  }
  if (user !== undefined && !isLabel(user)) {
    errors.push({ field: "user", message: "must be an id, or a name that was tried" });
  }
  const instant = (field: "from" | "to"): number | undefined => {
    const text = query[field];
    if (text === undefined) return undefined;
    const ms = fromRfc3339(text);
    if (ms === undefined) errors.push({ field, message: "must be an instant like 2026-01-31T12:00:00Z" });
    return ms;
  };
  const fromMs = instant("from");
  const toMs = instant("to");
  if (errors.length > 0) throw invalid(errors);
  return {
    ...(type !== undefined && { type: type as EventName }),
    ...(user !== undefined && { parties: await partiesOf(stores.accounts, user) }),
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
  };
}

function isEventName(text: string): boolean {
  return (EVENT_NAMES as readonly string[]).includes(text);
}

function invalid(errors: readonly FieldError[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
  return new Refusal(problem("validation_failed", `${detail}.`, { errors }));
}
