import { Type } from "typebox";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { publicUser } from "../public-user.ts";
import { Email, PasswordText, UsernameText, UserShape } from "../schemas.ts";
import type { App, Service } from "../service.ts";

export function userRoutes(app: App, service: Service): void {
  app.get(
    "/protected",
    {
      ...routeGuards.requireUser(),
      schema: {
        summary: "A protected example: says hello to whoever is signed in",
        response: { 200: Type.Object({ message: Type.String() }) },
      },
    },
    (request, reply) => {
      reply.send({ message: `Hello, ${request.currentUser.username}!` });
    },
  );

  app.get(
    "/user/profile",
    {
      ...routeGuards.requireUser(),
      schema: {
        summary: "The signed-in user's name and e-mail address",
        response: {
          200: Type.Object({ username: Type.String(), email: Type.Union([Type.String(), Type.Null()]) }),
        },
      },
    },
    (request, reply) => {
      reply.send({ username: request.currentUser.username, email: request.currentUser.email });
    },
  );

  app.get(
    "/auth/user",
    {
      ...routeGuards.requireUser(),
      schema: { summary: "The signed-in user", response: { 200: UserShape } },
    },
    async (request) => {
      const account = await service.stores.accounts.findById(request.currentUser.id);
      // A key of the operator's stands for itself: there is no account behind it.
      if (account === undefined) throw new Refusal(problem("not_found", "This credential has no account."));
      return publicUser(account, await service.stores.factors.summaryOf(account.id));
    },
  );

  registerRoute(app, service);
}

function registerRoute(app: App, service: Service): void {
  app.post(
    "/auth/register",
    {
      ...routeGuards.allowAnonymous(),
      // Before a body is read: where registration is off, there is nothing here.
      async onRequest() {
        const { settings } = await service.settings.now();
        if (!settings.registration) throw new Refusal(problem("not_found", "Registration is off."));
      },
      schema: {
        summary: "Create an account, where registration is on",
        body: Type.Object(
          { username: UsernameText, email: Email, password: PasswordText },
          { additionalProperties: false },
        ),
        response: { 201: UserShape },
      },
    },
    async (request, reply) => {
      const account = await service.accounts.create(
        { ...request.body, role: "user" },
        actOf(request.exchange),
      );
      reply.code(201);
      return publicUser(account);
    },
  );
}
