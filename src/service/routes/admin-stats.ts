import { Type } from "typebox";
import type { Statistics } from "../../identity/statistics/statistics-store.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { ROLES } from "../../kernel/principal.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { InstanceState } from "../instance-state.ts";
import { Instant } from "../schemas.ts";
import type { App, Service } from "../service.ts";

/** Each count looks at this many rows at most, a few milliseconds of work. */
const MOST_ROWS = 5_000;
const EXPIRING_SOON_MS = 14 * 86_400_000;
const SIGN_IN_WINDOW_MS = 86_400_000;

const Whole = Type.Integer({ minimum: 0 });
const Users = Type.Object({ total: Whole, disabled: Whole });
const StatsShape = Type.Object({
  at: Instant,
  users: Type.Object(Object.fromEntries(ROLES.map((role) => [role, Users]))),
  sessions: Type.Object({ live: Whole }),
  api_keys: Type.Object({ live: Whole, expiring_soon: Whole }, { description: "soon: within 14 days" }),
  sign_ins: Type.Object(
    { since: Instant, succeeded: Whole, failed: Whole },
    { description: "by name and password, in the last 24 hours" },
  ),
  at_least: Type.Array(Type.String(), {
    description: `numbers that stopped at ${MOST_ROWS} rows, the latest of their kind, like "sessions.live"`,
  }),
  instance: Type.Object(
    {
      version: Type.String(),
      started_at: Instant,
      uptime_seconds: Whole,
      hashing: Type.Object({ waiting: Whole, running: Whole, refused: Whole }),
      limits: Type.Enum(["memory", "workers", "redis"]),
      redis: Type.Union([Type.Enum(["closed", "half-open", "open"]), Type.Null()], {
        description: "the circuit breaker, null where there is no Redis",
      }),
      audit_waiting: Type.Integer({ minimum: 0, description: "events that are not durable yet" }),
    },
    { description: "the process or worker that answers" },
  ),
});

/** Numbers on what there is and how it does: for admins, and for keys of admins that carry the scope. */
export function adminStatsRoutes(app: App, service: Service): void {
  app.get(
    "/admin/stats",
    {
      ...routeGuards.requireRole("admin", { scopes: ["admin:stats:read"] }),
      schema: {
        summary: "Numbers on users, sessions, keys and sign-ins, and the state of the instance",
        response: { 200: StatsShape },
      },
    },
    async (request, reply) => {
      const { nowMs } = request.exchange;
      const signInsSinceMs = nowMs - SIGN_IN_WINDOW_MS;
      const found = await service.stores.statistics.read({
        nowMs,
        keysExpiringUntilMs: nowMs + EXPIRING_SOON_MS,
        signInsSinceMs,
        mostRows: MOST_ROWS,
      });
      reply.header("cache-control", "no-store");
      return {
        at: toRfc3339(nowMs),
        users: Object.fromEntries(
          found.users.map(({ role, total, disabled }) => [role, { total, disabled }]),
        ),
        sessions: { live: found.liveSessions.value },
        api_keys: { live: found.liveKeys.value, expiring_soon: found.expiringKeys.value },
        sign_ins: {
          since: toRfc3339(signInsSinceMs),
          succeeded: found.signInsSucceeded.value,
          failed: found.signInsFailed.value,
        },
        at_least: partialOf(found),
        instance: publicState(service.instance()),
      };
    },
  );
}

function partialOf(found: Statistics): string[] {
  const counts = {
    "sessions.live": found.liveSessions,
    "api_keys.live": found.liveKeys,
    "api_keys.expiring_soon": found.expiringKeys,
    "sign_ins.succeeded": found.signInsSucceeded,
    "sign_ins.failed": found.signInsFailed,
  };
  return [
    ...found.users.filter(({ isPartial }) => isPartial).map(({ role }) => `users.${role}`),
    ...Object.entries(counts).flatMap(([name, { isPartial }]) => (isPartial ? [name] : [])),
  ];
}

function publicState(state: InstanceState) {
  const { version, startedAtMs, uptimeMs, hashing, limits, redis = null, auditWaiting } = state;
  return {
    version,
    started_at: toRfc3339(startedAtMs),
    uptime_seconds: Math.floor(uptimeMs / 1000),
    hashing: { ...hashing },
    limits,
    redis,
    audit_waiting: auditWaiting,
  };
}
