import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import { spellings } from "../service/spellings.ts";
import type { GateInFront } from "./in-front.ts";
import { startInFront, without } from "./in-front.ts";

const RULES = "/assets public, /admin role:admin, other.example/ public";
const CLAIMS = ["X-Auth-User: root", "X-Auth-Role: admin", "X-Auth-Scopes: *"];
const ALIASES = ["User", "Role", "Scopes"].flatMap((name) =>
  ["X_Auth_", "X_Auth-", "X-Auth_", "X.Auth.", "X-Auth.", "X.Auth-"].map(
    (prefix) => `${prefix}${name}: root`,
  ),
);
const PAGE = ["accept: text/html", "sec-fetch-mode: navigate"];

for (const command of ["nginx", "caddy"] as const) {
  describe(`examples/gate, in a real ${command}`, { skip: without(command) }, () => {
    let service: TestService;
    let gate: GateInFront;
    let user: string;
    let cookie: string;
    let csrf: string;
    before(async () => {
      service = await runService({
        KYROS_TRUST_PROXY: "127.0.0.1",
        KYROS_GATE_RULES: RULES,
        KYROS_LOGIN_URL: "/assets/login",
        KYROS_FORCE_HTTPS: "on",
        KYROS_RATE_LIMIT: "5000/15m",
      });
      gate = await startInFront(command, service.url);
      await service.createUser("alice");
      const asProxy = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" };
      const login = { username: "alice", password: PASSWORD };
      user = (await ask(service, "POST", "/auth/login", asProxy, login)).body.access_token;
      const signedIn = await request("POST", "/auth/session", [], JSON.stringify(login), "application/json");
      assert.equal(signedIn.status, 200);
      cookie = headerOf(signedIn, "set-cookie")!.split(";", 1)[0]!;
      assert.match(cookie, /^__Host-kyros_session=/);
      csrf = JSON.parse((await request("GET", "/auth/csrf", [`cookie: ${cookie}`])).body).csrf_token;
    });
    after(async () => {
      await gate?.stop();
      await service?.stop();
    });

    function request(method: string, target: string, lines: readonly string[], body = "", type?: string) {
      const head = [
        `${method} ${target} HTTP/1.1`,
        ...(lines.some((line) => /^host:/i.test(line)) ? [] : ["host: app.example"]),
        ...(lines.some((line) => /^connection:/i.test(line)) ? [] : ["connection: close"]),
        ...lines,
        ...(type === undefined ? [] : [`content-type: ${type}`]),
        ...(body === "" ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
      ];
      return gate.send(Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1"));
    }
    const headerOf = (answer: { headers: readonly (readonly [string, string])[] }, name: string) =>
      answer.headers.find(([one]) => one === name)?.[1];

    it("hands no upgrade but to WebSocket to the service: behind it, nothing would be asked", async () => {
      const lines = [
        "connection: close, upgrade, http2-settings",
        "upgrade: h2c",
        "http2-settings: AAMAAABk",
      ];
      const { length } = gate.seen;
      const { status } = await request("GET", "/assets/x", lines).catch(() => ({ status: 0 }));
      assert.notEqual(status, 101);
      assert.ok(gate.seen.slice(length).every(({ headers }) => headers["upgrade"] === undefined));
      const handshake = ["upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: AAAA"];
      assert.equal((await request("GET", "/assets/x", ["connection: upgrade", ...handshake])).status, 101);
    });

    it("does not take another host's name for the service's, and with it another host's rules", async () => {
      const { length } = gate.seen;
      const targets = ["/jobs", "https://other.example/jobs"];
      for (const target of targets)
        await request("GET", target, ["host: other.example"]).catch(() => undefined);
      assert.deepEqual(gate.seen.slice(length), []);
    });

    it("lets a user pass, and tells the service who it is", async () => {
      const answer = await request("GET", "/jobs?a=%2F&b", [`authorization: Bearer ${user}`]);
      assert.equal(answer.status, 200);
      const seen = gate.seen.at(-1)!;
      assert.deepEqual([seen.method, seen.target], ["GET", "/jobs?a=%2F&b"]);
      assert.equal(seen.headers["x-auth-user"], "alice");
      assert.equal(seen.headers["x-auth-role"], "user");
    });

    it("R34, R35: the service gets no identity that a client claims, in any spelling", async () => {
      for (const [target, lines] of [
        ["/assets/app.js", []],
        ["/jobs", [`authorization: Bearer ${user}`]],
      ] as const) {
        assert.equal((await request("GET", target, [...CLAIMS, ...ALIASES, ...lines])).status, 200);
        const { headers, names } = gate.seen.at(-1)!;
        const told = [
          headers["x-auth-user"] ?? "",
          headers["x-auth-role"] ?? "",
          headers["x-auth-scopes"] ?? "",
        ];
        assert.deepEqual(told, lines.length > 0 ? ["alice", "user", ""] : ["", "", ""]);
        // What a CGI would take for the same header.
        const alike = names.filter((name) => /^x[-_.]auth[-_.]/i.test(name));
        assert.ok(
          alike.every((name) => /^x-auth-[a-z]+$/i.test(name)),
          alike.join(" "),
        );
      }
    });

    it("refuses with the challenge, and never lets the request through", async () => {
      const { length } = gate.seen;
      const anonymous = await request("GET", "/jobs", CLAIMS);
      assert.equal(anonymous.status, 401);
      const challenges = anonymous.headers.filter(([name]) => name === "www-authenticate");
      assert.deepEqual(challenges, [["www-authenticate", 'Bearer realm="kyros"']]);
      assert.equal(headerOf(anonymous, "cache-control"), "no-store");
      assert.ok(headerOf(anonymous, "x-request-id"));
      assert.equal((await request("GET", "/admin", [`authorization: Bearer ${user}`])).status, 403);
      assert.equal((await request("GET", "/jobs", ["authorization: Bearer a.b.c"])).status, 401);
      assert.equal(gate.seen.length, length);
    });

    it("sends a browser to the page where it signs in, on the port that it asked at", async () => {
      for (const host of [`app.example:${gate.port}`, "app.example"]) {
        const answer = await request("GET", "/jobs?a=1", [`host: ${host}`, ...PAGE]);
        assert.equal(answer.status, 302);
        const location = new URL(headerOf(answer, "location")!);
        assert.equal(`${location.host}${location.pathname}`, `${host}/assets/login`);
        assert.equal(location.searchParams.get("return_to"), "/jobs?a=1");
      }
    });

    it("knows the service's own pages by their port, and tells the service of it", async () => {
      const host = `app.example:${gate.port}`;
      const own = [`host: ${host}`, `cookie: ${cookie}`, `x-csrf-token: ${csrf}`, `origin: https://${host}`];
      assert.equal((await request("POST", "/jobs", own, "{}", "application/json")).status, 200);
      assert.equal(gate.seen.at(-1)!.headers.host, host);
      const foreign = own.map((line) => line.replace(/^origin: .*/, "origin: https://app.example:1"));
      assert.equal((await request("POST", "/jobs", foreign, "{}", "application/json")).status, 403);
      const login = JSON.stringify({ username: "alice", password: PASSWORD });
      const page = [`host: ${host}`, `origin: https://${host}`];
      assert.equal((await request("POST", "/auth/session", page, login, "application/json")).status, 200);
    });

    it("gives each request an id of its own, whatever a client calls it", async () => {
      const claim = "X-Request-Id: chosen-by-a-client";
      const answers = [
        await request("GET", "/jobs", [claim]),
        await request("GET", "/auth/user", [claim]),
        await request("GET", "/jobs", [claim, `authorization: Bearer ${user}`]),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 401, 200],
      );
      for (const answer of answers.slice(0, 2)) {
        assert.match(headerOf(answer, "x-request-id")!, /^[0-9a-f-]{32,36}$/);
      }
      assert.match(String(gate.seen.at(-1)!.headers["x-request-id"]), /^[0-9a-f-]{32,36}$/);
      assert.ok(service.events.every(({ requestId }) => requestId !== "chosen-by-a-client"));
    });

    it("takes a browser's session, and its changes with the CSRF token alone", async () => {
      const own = [`cookie: ${cookie}`, "sec-fetch-site: same-origin"];
      assert.equal((await request("GET", "/jobs", own)).status, 200);
      const { length } = gate.seen;
      assert.equal((await request("POST", "/jobs", own, '{"a":1}', "application/json")).status, 403);
      assert.equal(gate.seen.length, length);
      const proved = [...own, `x-csrf-token: ${csrf}`];
      assert.equal((await request("POST", "/jobs", proved, '{"a":1}', "application/json")).status, 200);
      assert.equal(gate.seen.at(-1)!.method, "POST");
      assert.equal((await request("DELETE", "/jobs/1", own)).status, 403);
    });

    it("passes a WebSocket handshake by the same gate", async () => {
      const handshake = (...lines: string[]) =>
        request("GET", "/ws", [
          "connection: Upgrade",
          "upgrade: websocket",
          "sec-websocket-version: 13",
          "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
          ...lines,
        ]);
      assert.equal((await handshake(`authorization: Bearer ${user}`)).status, 101);
      assert.equal(gate.seen.at(-1)!.headers["x-auth-user"], "alice");
      const { length } = gate.seen;
      const refused = ["connection: close", "upgrade: websocket", "sec-websocket-version: 13"];
      assert.equal((await request("GET", "/ws", refused)).status, 401);
      const foreign = [...refused, `cookie: ${cookie}`, "origin: https://evil.example"];
      assert.equal((await request("GET", "/ws", foreign)).status, 403);
      assert.equal(gate.seen.length, length);
    });

    it("R32, R36: is asked about the real request, whatever the client says it is", async () => {
      const { length } = gate.seen;
      const claims = [
        ...[
          "X-Original-URL: https://app.example/assets",
          "X-Original-Method: GET",
          "X-Forwarded-Uri: /assets",
        ],
        ...["X-Forwarded-Method: GET", "X-Forwarded-Host: app.example", "X-Forwarded-Prefix: /assets"],
        ...[
          "Forwarded: for=192.0.2.1;proto=https;host=app.example",
          "X-Forwarded-For: 192.0.2.1",
          "X_Forwarded_For: 192.0.2.1",
        ],
        ...["Connection: close, x-forwarded-for, x-forwarded-uri, x-original-url, x-auth-user"],
        ...["Connection: close, x-forwarded-method, x-forwarded-proto, x-forwarded-host"],
      ];
      for (const claim of claims) {
        const answer = await request("GET", "/jobs", [claim]);
        assert.ok(answer.status === 401 || answer.status === 403, `${claim}: ${answer.status}`);
      }
      assert.equal((await request("GET", "/jobs", claims.slice(0, -2))).status, 401);
      const told = service.events.filter(({ name, path }) => name === "access.denied" && path === "/jobs");
      assert.ok(told.length > 0);
      assert.ok(told.every(({ address }) => address === "127.0.0.1"));
      assert.equal(gate.seen.length, length);
    });

    it("R15: keeps /admin closed in every spelling", async () => {
      const { length } = gate.seen;
      for (const target of spellings("/admin")) {
        for (const method of ["GET", "POST"]) {
          const answer = await request(method, target, []);
          // Another host, which neither has: nginx takes it for its only one, Caddy answers with nothing.
          if (target.startsWith("http://") && answer.body === "") continue;
          assert.ok(answer.status >= 300 && answer.status < 500, `${method} ${target}: ${answer.status}`);
        }
      }
      assert.equal(gate.seen.length, length);
    });
  });
}
