import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Fastify from "fastify";
import { kyrosFastify, signedInUser } from "../../src/adapters/fastify.ts";
import { testKyros } from "./guarded-app.ts";

describe("the current user of a Fastify route", () => {
  it("is typed by the route's guard, and asked for where the compiler cannot see it", async () => {
    const { kyros, tokens } = await testKyros();
    const app = Fastify();
    await app.register(kyrosFastify, { kyros });
    app.get("/typed", kyros.requireUser(), async (request) => request.currentUser.username satisfies string);
    // @ts-expect-error: nobody may be signed in
    app.get("/optional", kyros.optionalUser(), async (request) => request.currentUser.username);
    app.get<{ Querystring: { page: string } }>("/named", kyros.requireUser(), async (request) => ({
      // @ts-expect-error: type arguments hide the guard
      own: request.currentUser.username,
      asked: signedInUser(request).username,
    }));
    app.get("/open", kyros.allowAnonymous(), async (request) => signedInUser(request).username);
    const authorization = `Bearer ${tokens.user}`;
    assert.equal((await app.inject({ url: "/typed", headers: { authorization } })).body, "user");
    const named = await app.inject({ url: "/named", headers: { authorization } });
    assert.deepEqual(named.json(), { own: "user", asked: "user" });
    const nobody = await app.inject({ url: "/open" });
    assert.equal(nobody.statusCode, 401);
    assert.equal(nobody.json().code, "unauthenticated");
    assert.equal(nobody.headers["www-authenticate"], 'Bearer realm="kyros"');
    await app.close();
  });
});
