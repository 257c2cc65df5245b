import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { createAdaptorServer } from "@hono/node-server";
import { generateSecret } from "../../src/crypto/keyring.ts";
import type { Kyros, Role } from "../../src/index.ts";
import { createAccessToken, createKyros } from "../../src/index.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { expressHost, fastifyHost, honoHost, nodeHost } from "./hosts.ts";

const PASSWORD = "correct horse battery staple";
const START_MS = Date.UTC(2030, 0, 1);
/** Differs between any two answers, or says how long the host keeps a connection. */
const OF_THE_MOMENT = new Set(["date", "x-request-id", "keep-alive"]);
/** Says how many requests came before. */
const COUNTED = new Set(["ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"]);

const clock = manualClock(START_MS);
const failures: unknown[] = [];
const kyros: Kyros = createKyros({
  secret: generateSecret(systemRandom),
  insecureHttp: true,
  bcryptCost: 10,
  clock,
  onFailure: (error) => void failures.push(error),
});

describe("every adapter", () => {
  const app = fastifyHost(kyros);
  const servers = {
    node: nodeHost(kyros),
    express: createServer(expressHost(kyros)),
    hono: createAdaptorServer({ fetch: honoHost(kyros).fetch }),
  };
  const hosts: Record<string, string> = {};
  const tokens: Record<string, string> = {};
  before(async () => {
    hosts["fastify"] = await app.listen({ host: "127.0.0.1", port: 0 });
    for (const [name, server] of Object.entries(servers)) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      hosts[name] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    const token = async (name: string, role: Role, scopes?: string[]) => {
      const account = await kyros.accounts.create(
        { username: name, email: null, password: PASSWORD, role },
        { atMs: clock.now(), actor: { kind: "operator" } },
      );
      const token = await createAccessToken(kyros, account, scopes ? { scopes } : {});
      return { account, token };
    };
    const early = await token("early", "user");
    tokens["expired"] = early.token;
    clock.advance(3 * 3_600_000);
    const alice = await token("alice", "user");
    tokens["alice"] = alice.token;
    tokens["admin"] = (await token("root", "admin")).token;
    tokens["scoped"] = (await token("scoped", "user", ["jobs:read"])).token;
    tokens["otherScope"] = (await token("other-scope", "user", ["jobs:write"])).token;
    tokens["tampered"] = alice.token.replace(/.{4}$/, "AAAA");
    const ended = await token("ended", "user");
    tokens["ended"] = ended.token;
    await kyros.sessions.endAll(ended.account.id, { atMs: clock.now(), actor: { kind: "operator" } });
  });
  after(async () => {
    await app.close();
    for (const server of Object.values(servers)) {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
    }
  });

  interface Case {
    readonly what: string;
    readonly path: string;
    readonly status: number;
    /** The problem's code, or the body. */
    readonly says: string | { readonly name: string | null };
    readonly token?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Adapters that have no such thing: node:http has no routes. */
    readonly not?: readonly string[];
  }
  const bearer = (text: string) => ({ authorization: text });
  const cases: readonly Case[] = [
    { what: "a valid token", path: "/user", token: "alice", status: 200, says: { name: "alice" } },
    {
      what: "a valid token, and a query",
      path: "/user?a=1",
      token: "alice",
      status: 200,
      says: { name: "alice" },
    },
    {
      what: "a post with a token",
      path: "/user",
      method: "POST",
      token: "alice",
      status: 200,
      says: { name: "alice" },
    },
    { what: "no token", path: "/user", status: 401, says: "unauthenticated" },
    {
      what: "an empty token",
      path: "/user",
      headers: bearer("Bearer "),
      status: 401,
      says: "unauthenticated",
    },
    {
      what: "a token of two words",
      path: "/user",
      headers: bearer("Bearer x y"),
      status: 401,
      says: "token_invalid",
    },
    {
      what: "another scheme",
      path: "/user",
      headers: bearer("Basic YTpi"),
      status: 401,
      says: "unauthenticated",
    },
    {
      what: "a bad token",
      path: "/user",
      headers: bearer("Bearer a.b.c"),
      status: 401,
      says: "token_invalid",
    },
    { what: "a tampered token", path: "/user", token: "tampered", status: 401, says: "token_invalid" },
    { what: "an expired token", path: "/user", token: "expired", status: 401, says: "token_expired" },
    { what: "an ended session's token", path: "/user", token: "ended", status: 401, says: "token_revoked" },
    {
      what: "a bad API key",
      path: "/user",
      headers: { "x-api-key": "nope" },
      status: 401,
      says: "unauthenticated",
    },
    {
      what: "a dead cookie",
      path: "/user",
      headers: { cookie: `kyros_session=${"A".repeat(43)}` },
      status: 401,
      says: "unauthenticated",
    },
    { what: "a public route", path: "/public", status: 200, says: { name: null } },
    {
      what: "a public route, a bad token",
      path: "/public",
      token: "tampered",
      status: 200,
      says: { name: null },
    },
    { what: "an open route, nobody", path: "/optional", status: 200, says: { name: null } },
    {
      what: "an open route, somebody",
      path: "/optional",
      token: "alice",
      status: 200,
      says: { name: "alice" },
    },
    {
      what: "an open route, a bad token",
      path: "/optional",
      token: "tampered",
      status: 401,
      says: "token_invalid",
    },
    { what: "a role too low", path: "/admin", token: "alice", status: 403, says: "insufficient_role" },
    { what: "a role that suffices", path: "/admin", token: "admin", status: 200, says: { name: "root" } },
    { what: "a role for nobody", path: "/admin", status: 401, says: "unauthenticated" },
    { what: "another scope", path: "/scope", token: "otherScope", status: 403, says: "insufficient_scope" },
    { what: "a scope that covers", path: "/scope", token: "scoped", status: 200, says: { name: "scoped" } },
    ...["GET", "POST", "DELETE", "OPTIONS"].map(
      (method): Case => ({
        what: `${method} of an unknown route`,
        method,
        path: "/nothing",
        status: 404,
        says: "not_found",
        not: ["node"],
      }),
    ),
    ...["DELETE", "OPTIONS"].map(
      (method): Case => ({
        what: `${method} of a route without it`,
        method,
        path: "/public",
        status: 404,
        says: "not_found",
        not: ["node"],
      }),
    ),
    { what: "a handler that throws", path: "/crash", status: 500, says: "internal" },
    { what: "a handler that rejects", path: "/crash-later", status: 500, says: "internal" },
    { what: "a handler that refuses", path: "/refuse", status: 409, says: "conflict" },
  ];

  async function ask(host: string, { path, token, method = "GET", headers }: Case) {
    const response = await fetch(host + path, {
      method,
      headers: { ...headers, ...(token !== undefined && bearer(`Bearer ${tokens[token]}`)) },
    });
    const { instance, ...body } = (await response.json()) as Record<string, unknown>;
    if (response.status >= 400) assert.equal(instance, response.headers.get("x-request-id"));
    const shown = [...response.headers].map(([name, value]) =>
      OF_THE_MOMENT.has(name) || COUNTED.has(name) ? [name] : [name, value],
    );
    return { status: response.status, body, headers: Object.fromEntries(shown) as Record<string, string> };
  }

  for (const one of cases) {
    it(`answers the same to ${one.what}`, async () => {
      const fastify = await ask(hosts["fastify"]!, one);
      assert.equal(fastify.status, one.status);
      if (typeof one.says === "string") assert.equal(fastify.body["code"], one.says);
      else assert.deepEqual(fastify.body, one.says);
      assert.equal(
        "www-authenticate" in fastify.headers,
        one.status === 401 || one.says === "insufficient_scope",
      );
      assert.ok("content-security-policy" in fastify.headers);
      for (const name of Object.keys(servers)) {
        if (!one.not?.includes(name)) assert.deepEqual(await ask(hosts[name]!, one), fastify, name);
      }
    });
  }

  it("keeps what a crash was about to itself, and reports it", async () => {
    const { length } = failures;
    for (const host of Object.values(hosts)) {
      const response = await fetch(`${host}/crash`);
      assert.doesNotMatch(await response.text(), /nobody's business|at /);
    }
    assert.equal(failures.length, length + 4);
  });
});
