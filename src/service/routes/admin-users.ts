import { Type } from "typebox";
import type { Account } from "../../identity/accounts/account.ts";
import { generatePassword } from "../../identity/accounts/accounts.ts";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import { systemRandom } from "../../kernel/random.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { pageOf } from "../page.ts";
import { publicUser, publicUsers } from "../public-user.ts";
import {
  Email,
  IdParameter,
  listOf,
  PageQuery,
  PasswordText,
  RoleName,
  UsernameText,
  UserShape,
} from "../schemas.ts";
import type { App, Service } from "../service.ts";

const NO_SUCH_USER = problem("not_found", "There is no such user.");
const closed = { additionalProperties: false };

/** Administration of accounts: for admins, and for keys of admins that carry the scope. */
export function adminUserRoutes(app: App, service: Service): void {
  const readers = routeGuards.requireRole("admin", { scopes: ["admin:users:read"] });
  const writers = routeGuards.requireRole("admin", { scopes: ["admin:users:write"] });

  app.get(
    "/admin/users",
    {
      ...readers,
      schema: {
        summary: "All users",
        querystring: Type.Object(
          { ...PageQuery, search: Type.Optional(Type.String({ minLength: 1, maxLength: 254 })) },
          closed,
        ),
        response: { 200: listOf(UserShape) },
      },
    },
    async (request) => {
      const { search } = request.query;
      const { items, next_cursor } = await pageOf(request.query, (query) =>
        service.stores.accounts.list({ ...query, ...(search !== undefined && { search }) }),
      );
      return { items: await publicUsers(service.stores, items), next_cursor };
    },
  );

  app.post(
    "/admin/users",
    {
      ...writers,
      schema: {
        summary: "Create a user; without a password, one is generated and shown this once",
        body: Type.Object(
          {
            username: UsernameText,
            email: Type.Optional(Type.Union([Email, Type.Null()])),
            role: Type.Optional(RoleName),
            password: Type.Optional(PasswordText),
          },
          closed,
        ),
        response: { 201: Type.Object({ ...UserShape.properties, password: Type.Optional(Type.String()) }) },
      },
    },
    async (request, reply) => {
      const { username, email = null, role = "user", password } = request.body;
      const generated = password === undefined ? generatePassword(systemRandom) : undefined;
      const account = await service.accounts.create(
        { username, email, role, password: password ?? generated! },
        actOf(request.exchange),
      );
      reply.code(201).header("cache-control", "no-store");
      return { ...publicUser(account), ...(generated !== undefined && { password: generated }) };
    },
  );

  app.get(
    "/admin/users/:id",
    { ...readers, schema: { summary: "A user", params: IdParameter, response: { 200: UserShape } } },
    async (request) => publicUserOf(service, await userOf(service, request.params.id)),
  );

  app.patch(
    "/admin/users/:id",
    {
      ...writers,
      schema: {
        summary: "Change a user's e-mail address or role, or disable or enable the user",
        params: IdParameter,
        body: Type.Object(
          {
            email: Type.Optional(Type.Union([Email, Type.Null()])),
            role: Type.Optional(RoleName),
            disabled: Type.Optional(Type.Boolean()),
          },
          { ...closed, minProperties: 1 },
        ),
        response: { 200: UserShape },
      },
    },
    async (request) => {
      const account = await service.accounts.change(request.params.id, request.body, actOf(request.exchange));
      if (account === undefined) throw new Refusal(NO_SUCH_USER);
      return publicUserOf(service, account);
    },
  );

  app.delete(
    "/admin/users/:id/sessions",
    {
      ...writers,
      schema: { summary: "End all sessions of a user", params: IdParameter, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const account = await userOf(service, request.params.id);
      await service.sessions.endAll(account.id, actOf(request.exchange));
      reply.code(204);
    },
  );
}

async function publicUserOf({ stores }: Service, account: Account) {
  return publicUser(account, await stores.factors.summaryOf(account.id));
}

async function userOf(service: Service, id: string): Promise<Account> {
  const account = await service.stores.accounts.findById(id);
  if (account === undefined) throw new Refusal(NO_SUCH_USER);
  return account;
}
