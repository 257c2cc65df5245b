import { Type } from "typebox";
import { Refusal } from "../../kernel/failure.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { refreshRefusal } from "../refresh-refusal.ts";
import { PasswordText } from "../schemas.ts";
import type { App, Service } from "../service.ts";
import { confirmPassword, renewCookie } from "../sign-in.ts";

export function passwordRoutes(app: App, service: Service): void {
  app.post(
    "/auth/password",
    {
      ...routeGuards.requirePerson(),
      schema: {
        summary: "Change the password; ends every other session",
        body: Type.Object(
          { current_password: PasswordText, new_password: PasswordText },
          { additionalProperties: false },
        ),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { exchange, principal, body } = request;
      // The current password is tried like any other, and counted like any other: a stolen session must not guess it.
      const credentials = { username: principal.user.username, password: body.current_password };
      const account = await confirmPassword(service, exchange, credentials);
      const current = await service.stores.sessions.findById(principal.sessionId);
      if (current === undefined) throw new Refusal(refreshRefusal({ kind: "ended" }));
      const changed = await service.accounts.setPassword(
        account,
        body.new_password,
        actOf(exchange),
        current,
      );
      renewCookie(service, exchange, reply, changed);
      reply.code(204);
    },
  );
}
