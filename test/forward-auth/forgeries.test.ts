import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { rawRequest } from "../service/raw-request.ts";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import { askGate, identityOf, PROXIES, send } from "./proxies.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "get", "PROPFIND"];
const RULES = "/assets public, /healthz public, /admin role:admin";
const ASK = [
  "x-forwarded-for: 203.0.113.9",
  "x-forwarded-proto: https",
  "x-forwarded-host: app.example",
  "x-forwarded-method: GET",
];

describe("what cannot be forged at the gate", () => {
  let service: TestService;
  let user: string;
  before(async () => {
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_GATE_RULES: RULES });
    await service.createUser("alice");
    user = (await service.login("alice")).access_token;
  });
  after(() => service.stop());

  it("R32: a rule is judged on the path alone, never on query, fragment or a claim of the client's", async () => {
    const targets = [
      "/jobs?/assets/",
      "/jobs?x=/assets",
      "/jobs#/assets",
      "/jobs%23/assets",
      "/jobs%3f/assets",
      "/assets/../jobs",
      "/assets/%2e%2e/jobs",
      "/assets/..%2fjobs",
      "/assets/..;/jobs",
      "/assets;/../jobs",
      "/assets\\..\\jobs",
      "/assets%5c..%5cjobs",
      "/assets/%252e%252e/jobs",
      "/assets%252f..%252fjobs",
      "//assets",
      "///assets/",
      "/assets%00",
      "/assets%0d%0a",
      "/%c0%af/assets",
      "/%2e/assets",
      "/jobs/assets",
      "/assetsjobs",
      "assets",
      "*",
      "",
      "http://app.example/assets",
    ];
    for (const proxy of Object.keys(PROXIES)) {
      for (const target of targets) {
        const { status } = await askGate(service, proxy, { target });
        assert.ok(status >= 400 && status < 500, `${proxy} ${target}: ${status}`);
      }
      const claims = [
        "x-forwarded-uri: /assets/x",
        "x-forwarded-method: GET",
        "x-original-url: https://app.example/assets/x",
        "x-original-method: GET",
        "x-rewrite-url: /assets",
        "x-original-uri: /assets",
        "x-auth-request-redirect: /assets",
        "x-forwarded-prefix: /assets",
      ];
      for (const claim of claims) {
        const { status } = await askGate(service, proxy, { lines: [claim] });
        assert.ok(status === 401 || status === 403, `${proxy} ${claim}: ${status}`);
      }
    }
  });

  it("R32: nobody is believed who is no trusted proxy, and by default nobody is", async () => {
    const closed = await runService({ KYROS_GATE_RULES: RULES });
    const other = await runService({ KYROS_GATE_RULES: RULES, KYROS_TRUST_PROXY: "192.0.2.1" });
    try {
      for (const one of [closed, other]) {
        await one.createUser("alice");
        const { access_token } = await one.login("alice");
        for (const proxy of Object.keys(PROXIES)) {
          for (const target of ["/assets", "/jobs"]) {
            const lines = [`authorization: Bearer ${access_token}`];
            const answer = await askGate(one, proxy, { target, lines });
            assert.equal(answer.status, 403);
            assert.match(JSON.parse(answer.body).detail, /KYROS_TRUST_PROXY/);
          }
        }
        const told = one.events.filter(({ name }) => name === "access.denied");
        assert.equal(told.length, 2 * Object.keys(PROXIES).length);
        assert.ok(told.every(({ address }) => address === "127.0.0.1"));
      }
    } finally {
      await closed.stop();
      await other.stop();
    }
  });

  it("R34: other spellings of a header are nobody's word, and a header that comes twice is refused", async () => {
    const aliases = ["x_forwarded_uri: /assets", "x.forwarded.uri: /assets", "x_forwarded_for: 192.0.2.1"];
    const answer = await askGate(service, "Caddy", { lines: [...aliases, `authorization: Bearer ${user}`] });
    assert.equal(answer.status, 200);
    const { length } = service.events;
    await askGate(service, "Caddy", { lines: [...aliases, "x.real.ip: 192.0.2.2", "x-real-ip: 192.0.2.3"] });
    assert.equal(service.events.slice(length)[0]?.address, "203.0.113.9");

    const only = (lines: readonly string[]) => send(service, rawRequest("GET", "/forward-auth", lines));
    assert.equal((await only([...ASK, "x-forwarded-uri: /assets"])).status, 200);
    assert.equal((await only([...ASK, "x_forwarded_uri: /assets"])).status, 403);
    assert.equal((await only([...ASK, "x-forwarded-uri: /assets", "x-forwarded-uri: /assets"])).status, 403);
    assert.equal((await only([...ASK, "x-forwarded-uri: /assets", "x-forwarded-method: GET"])).status, 403);
    const twice = ["x-forwarded-uri: /jobs", `authorization: Bearer ${user}`];
    assert.equal((await only([...ASK, ...twice])).status, 200);
    assert.equal((await only([...ASK, ...twice, "authorization: Bearer x"])).status, 401);
    assert.equal((await only([...ASK, "x-forwarded-host: x.example", ...twice])).status, 403);
  });

  it("R35: every identity header is in every answer that lets pass, whatever the client sent", async () => {
    const claims = ["x-auth-user: root", "x-auth-role: admin", "x-auth-scopes: *"];
    for (const proxy of Object.keys(PROXIES)) {
      for (const method of METHODS.filter((one) => one !== "get")) {
        const open = await askGate(service, proxy, { method, target: "/assets", lines: claims });
        // A method that Fastify does not know can only be told of in a header.
        if (proxy === "Envoy" && ["QUERY", "PROPFIND"].includes(method)) continue;
        assert.deepEqual([open.status, ...identityOf(open)], [200, "", "", ""], `${proxy} ${method}`);
        const lines = [...claims, `authorization: Bearer ${user}`];
        const known = await askGate(service, proxy, { method, lines });
        assert.deepEqual(
          [known.status, ...identityOf(known)],
          [200, "alice", "user", ""],
          `${proxy} ${method}`,
        );
      }
    }
  });

  it("R36: a request whose forwarding headers were removed on the way is refused", async () => {
    const lines = ["x-forwarded-uri: /jobs", `authorization: Bearer ${user}`];
    const without = (name: string) =>
      send(
        service,
        rawRequest("GET", "/forward-auth", [...ASK.filter((line) => !line.startsWith(name)), ...lines]),
      );
    assert.equal((await without("nothing")).status, 200);
    assert.equal((await without("x-forwarded-for")).status, 403);
    assert.equal((await without("x-forwarded-method")).status, 403);
    // What the client writes in the place of what it had removed.
    const forwarded = ["forwarded: for=192.0.2.1;proto=https;host=app.example"];
    const bytes = rawRequest("GET", "/forward-auth", [...ASK.slice(1), ...forwarded, ...lines]);
    assert.equal((await send(service, bytes)).status, 403);

    const { length } = service.events;
    const named = await askGate(service, "Caddy", {
      lines: ["connection: x-forwarded-for, x-forwarded-uri"],
    });
    assert.equal(named.status, 401);
    assert.equal(service.events.slice(length)[0]?.address, "203.0.113.9");
    const prefixed = await askGate(service, "Traefik", { lines: ["x-forwarded-prefix: /assets"] });
    assert.equal(prefixed.status, 401);
  });

  it("hears a proxy that names no host, but where a rule depends on it, and sends no browser anywhere", async () => {
    const lines = [
      ...ASK.filter((line) => !line.startsWith("x-forwarded-host")),
      "x-forwarded-uri: /jobs",
      "accept: text/html",
      "sec-fetch-mode: navigate",
    ];
    for (const [rules, anonymous, known] of [
      [RULES, 401, 200],
      [`${RULES}, app.example/jobs public`, 403, 403],
    ] as const) {
      const one = await runService({
        KYROS_TRUST_PROXY: "127.0.0.1",
        KYROS_GATE_RULES: rules,
        KYROS_LOGIN_URL: "/login",
      });
      try {
        await one.createUser("bob");
        const { access_token } = await one.login("bob");
        const asked = (more: readonly string[]) =>
          send(one, rawRequest("GET", "/forward-auth", [...lines, ...more]));
        assert.equal((await asked([])).status, anonymous);
        assert.equal((await asked([`authorization: Bearer ${access_token}`])).status, known);
        assert.equal((await asked(["x-forwarded-host: a b"])).status, 403);
      } finally {
        await one.stop();
      }
    }
  });

  it("refuses where X-Original-URL and X-Original-URI are not alike", async () => {
    const told = [
      ...ASK.filter((line) => !line.startsWith("x-forwarded-method")),
      "x-original-method: GET",
      "x-original-url: https://app.example/assets?a",
    ];
    const asked = (more: readonly string[]) =>
      send(service, rawRequest("GET", "/forward-auth", [...told, ...more]));
    assert.equal((await asked(["x-original-uri: /assets?a"])).status, 200);
    assert.equal((await asked(["x-original-uri: /assets"])).status, 403);
    assert.equal((await asked(["x-original-uri: /assets?a", "x-original-uri: /x"])).status, 403);
  });

  it("takes silence on the scheme for plain HTTP", async () => {
    const strict = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_FORCE_HTTPS: "on" });
    try {
      const lines = [
        ...ASK.filter((line) => !line.startsWith("x-forwarded-proto")),
        "x-forwarded-uri: /jobs",
      ];
      assert.equal((await send(strict, rawRequest("GET", "/forward-auth", lines))).status, 400);
    } finally {
      await strict.stop();
    }
  });

  it("shows a user's name in letters that a header can hold", async () => {
    await service.createUser("jürgen");
    const { access_token } = await service.login("jürgen");
    const answer = await askGate(service, "nginx", { lines: [`authorization: Bearer ${access_token}`] });
    assert.deepEqual(identityOf(answer), ["j%C3%BCrgen", "user", ""]);
  });
});
