import { Type } from "typebox";
import { ADJUSTABLE_NAMES, adjustableText } from "../../config/adjustable.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { changeSettings } from "../change-settings.ts";
import type { SettingsView } from "../live-settings.ts";
import { Instant, listOf } from "../schemas.ts";
import type { App, Service } from "../service.ts";

const SettingShape = Type.Object({
  name: Type.Enum([...ADJUSTABLE_NAMES]),
  value: Type.String({ description: "what holds now, in the notation of docs/settings.md" }),
  default: Type.String({ description: "what holds without a change: the environment's value" }),
  source: Type.Enum(["environment", "database"]),
  changed_at: Type.Union([Instant, Type.Null()]),
  changed_by: Type.Union([Type.String(), Type.Null()], { description: "the id of a user or an API key" }),
});

const NewValue = Type.Optional(
  Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
    description: "null goes back to the environment's value",
  }),
);
const ChangeShape = Type.Object(
  { rate_limit: NewValue, login_rate_limit: NewValue, registration: NewValue, log_level: NewValue },
  { additionalProperties: false, minProperties: 1 },
);

/** The settings that are changed while instances run: for admins, and for keys of admins that carry the scope. */
export function adminSettingsRoutes(app: App, service: Service): void {
  const { settings, stores, events } = service;

  app.get(
    "/admin/settings",
    {
      ...routeGuards.requireRole("admin", { scopes: ["admin:settings:read"] }),
      schema: {
        summary: "The settings that can be changed while the service runs",
        response: { 200: listOf(SettingShape) },
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return answerOf(await settings.now());
    },
  );

  app.patch(
    "/admin/settings",
    {
      ...routeGuards.requireRole("admin", { scopes: ["admin:settings:write"] }),
      schema: {
        summary: "Change settings on every instance, from the next request on",
        body: ChangeShape,
        response: { 200: listOf(SettingShape) },
      },
    },
    async (request, reply) => {
      const { environment } = settings;
      await changeSettings(
        { environment, store: stores.settings, events },
        request.body,
        actOf(request.exchange),
      );
      reply.header("cache-control", "no-store");
      return answerOf(await settings.now());
    },
  );

  function answerOf({ settings: now, overrides }: SettingsView) {
    return {
      items: ADJUSTABLE_NAMES.map((name) => {
        const override = overrides[name];
        return {
          name,
          value: adjustableText(now, name),
          default: adjustableText(settings.environment, name),
          source: override === undefined ? ("environment" as const) : ("database" as const),
          changed_at: override === undefined ? null : toRfc3339(override.changedAtMs),
          changed_by: override?.changedBy ?? null,
        };
      }),
      next_cursor: null,
    };
  }
}
