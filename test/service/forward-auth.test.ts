import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import { askGate, identityOf, PROXIES } from "./gate-proxies.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const RULES = [
  "/assets public",
  "/hello optional",
  "/admin role:admin",
  "/people people",
  "/never nobody",
  "GET /reports scope:reports:read",
].join(", ");
const PAGE = ["accept: text/html,application/xhtml+xml", "sec-fetch-mode: navigate"];

describe("the gate before another service", () => {
  let service: TestService;
  let alice: string;
  let root: string;
  let key: string;
  let cookie: string;
  let csrf: string;
  before(async () => {
    service = await runService({
      KYROS_TRUST_PROXY: "127.0.0.1",
      KYROS_GATE_RULES: RULES,
      KYROS_LOGIN_URL: "/login?from=gate",
      KYROS_FORCE_HTTPS: "on",
    });
    const asProxy = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" };
    const login = async (name: string): Promise<string> =>
      (
        await ask(service, "POST", "/auth/login", asProxy, {
          username: name,
          password: "correct horse battery staple",
        })
      ).body.access_token;
    await service.createUser("alice");
    await service.createUser("root", "admin");
    alice = await login("alice");
    root = await login("root");
    const made = await ask(
      service,
      "POST",
      "/auth/api-keys",
      { ...asProxy, ...bearer(root) },
      { name: "reporter", scopes: ["reports:read", "jobs:*"] },
    );
    key = made.body.key;
    const signedIn = await ask(service, "POST", "/auth/session", asProxy, {
      username: "alice",
      password: "correct horse battery staple",
    });
    cookie = signedIn.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    csrf = (await ask(service, "GET", "/auth/csrf", { ...asProxy, cookie })).body.csrf_token;
  });
  after(() => service.stop());

  for (const proxy of Object.keys(PROXIES)) {
    describe(`asked by ${proxy}`, () => {
      const gate = (request: Parameters<typeof askGate>[2]) => askGate(service, proxy, request);

      it("lets a user pass, and says who it is", async () => {
        const answer = await gate({ target: "/jobs?a=1", lines: [`authorization: Bearer ${alice}`] });
        assert.equal(answer.status, 200);
        assert.deepEqual(identityOf(answer), ["alice", "user", ""]);
        assert.equal(answer.body, "");
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.ok(answer.headers["content-security-policy"]);
      });

      it("lets a program pass with its scopes, and never with its owner's rank", async () => {
        const answer = await gate({ target: "/reports", lines: [`x-api-key: ${key}`] });
        assert.equal(answer.status, 200);
        assert.deepEqual(identityOf(answer), ["root", "user", "reports:read jobs:*"]);
      });

      it("lets nobody pass in particular where that is public, and says so in every header", async () => {
        const answer = await gate({ target: "/assets/app.js", lines: [`authorization: Bearer ${alice}`] });
        assert.equal(answer.status, 200);
        assert.deepEqual(identityOf(answer), ["", "", ""]);
      });

      it("says who it is where that is optional", async () => {
        const anonymous = await gate({ target: "/hello" });
        assert.deepEqual([anonymous.status, ...identityOf(anonymous)], [200, "", "", ""]);
        const known = await gate({ target: "/hello", lines: [`authorization: Bearer ${alice}`] });
        assert.deepEqual([known.status, ...identityOf(known)], [200, "alice", "user", ""]);
        assert.equal((await gate({ target: "/hello", lines: ["authorization: Bearer a.b.c"] })).status, 401);
      });

      it("asks for a credential where no rule says anything", async () => {
        const answer = await gate({});
        assert.equal(answer.status, 401);
        assert.match(answer.headers["www-authenticate"]!, /^Bearer realm="kyros"/);
        assert.equal(JSON.parse(answer.body).code, "unauthenticated");
        assert.equal(answer.headers["x-auth-user"], undefined);
      });

      it("holds a rule's role, callers and scopes", async () => {
        const user = [`authorization: Bearer ${alice}`];
        const admin = [`authorization: Bearer ${root}`];
        const program = [`x-api-key: ${key}`];
        const cases: readonly (readonly [string, readonly string[], number, string?])[] = [
          ["/admin", user, 403],
          ["/admin/x", admin, 200],
          ["/admin", program, 403],
          ["/people", program, 403],
          ["/people", user, 200],
          ["/never", admin, 403],
          ["/reports", program, 200],
          ["/reports", program, 200, "HEAD"],
        ];
        for (const [target, lines, status, method = "GET"] of cases) {
          assert.equal((await gate({ target, lines, method })).status, status, `${method} ${target}`);
        }
      });

      it("sends a browser that has to sign in to the page for it, and back", async () => {
        const answer = await gate({ target: "/jobs?a=1&b=//evil.example", lines: PAGE });
        assert.equal(answer.status, 302);
        const location = new URL(answer.headers["location"]!);
        assert.equal(location.origin + location.pathname, "https://app.example/login");
        assert.equal(location.searchParams.get("from"), "gate");
        assert.equal(location.searchParams.get("return_to"), "/jobs?a=1&b=//evil.example");
        const stale = await gate({ lines: [...PAGE, `cookie: __Host-kyros_session=${"A".repeat(43)}`] });
        assert.equal(stale.status, 302);
      });

      it("refuses as a program what is no navigation, or shows a credential", async () => {
        assert.equal((await gate({ method: "POST", lines: PAGE })).status, 401);
        assert.equal((await gate({ method: "HEAD", lines: PAGE })).status, 401);
        assert.equal((await gate({ lines: ["accept: text/html", "sec-fetch-mode: cors"] })).status, 401);
        assert.equal((await gate({ lines: [...PAGE, "authorization: Bearer a.b.c"] })).status, 401);
        assert.equal((await gate({ target: "/login", lines: PAGE })).status, 401);
        assert.equal(
          (await gate({ target: "/admin", lines: [...PAGE, `authorization: Bearer ${alice}`] })).status,
          403,
        );
      });

      it("takes a browser's session, and its changes with the CSRF token alone", async () => {
        const own = [`cookie: ${cookie}`, "sec-fetch-site: same-origin"];
        const post = (lines: readonly string[]) => gate({ method: "POST", lines });
        assert.deepEqual(identityOf(await gate({ lines: own })), ["alice", "user", ""]);
        assert.equal((await post(own)).status, 403);
        assert.equal(JSON.parse((await post(own)).body).code, "csrf_invalid");
        assert.equal((await post([...own, `x-csrf-token: ${csrf}`])).status, 200);
        assert.equal((await post([...own, `x-csrf-token: ${csrf}x`])).status, 403);
        assert.equal(
          (await post([`cookie: ${cookie}`, "sec-fetch-site: cross-site", `x-csrf-token: ${csrf}`])).status,
          403,
        );
        const origins = (origin: string) =>
          post([`cookie: ${cookie}`, `origin: ${origin}`, `x-csrf-token: ${csrf}`]);
        assert.equal((await origins("https://app.example")).status, 200);
        assert.equal((await origins("https://other.example")).status, 403);
        // The gate sees no body: a form's token has to come in the header.
        const form = [...own, "content-type: application/x-www-form-urlencoded"];
        assert.equal((await post(form)).status, 403);
        assert.equal((await post([...form, `x-csrf-token: ${csrf}`])).status, 200);
        assert.equal((await post([`authorization: Bearer ${alice}`])).status, 200);
      });

      it("takes a WebSocket handshake of the service's own page, and of no other", async () => {
        const handshake = (origin: string) =>
          gate({
            lines: [
              "connection: Upgrade",
              "upgrade: websocket",
              "sec-websocket-version: 13",
              "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
              `cookie: ${cookie}`,
              `origin: ${origin}`,
            ],
          });
        assert.equal((await handshake("https://app.example")).status, 200);
        assert.equal((await handshake("https://evil.example")).status, 403);
      });

      it("judges a preflight as any request: its 2xx would let it pass", async () => {
        const lines = ["origin: https://evil.example", "access-control-request-method: POST"];
        assert.equal((await gate({ method: "OPTIONS", lines })).status, 401);
        assert.deepEqual(identityOf(await gate({ method: "OPTIONS", target: "/assets", lines })), [
          "",
          "",
          "",
        ]);
      });

      it("refuses what came over plain HTTP, and shows a browser the way", async () => {
        const lines = [`authorization: Bearer ${alice}`];
        assert.equal((await gate({ scheme: "http", lines })).status, 400);
        const page = await gate({ scheme: "http", target: "/jobs?x", lines: PAGE });
        assert.deepEqual([page.status, page.headers["location"]], [308, "https://app.example/jobs?x"]);
      });

      it("records a refusal with the original request and the client's address", async () => {
        const { length } = service.events;
        await gate({
          method: "DELETE",
          target: "/admin/jobs?secret=x",
          lines: [`authorization: Bearer ${alice}`],
        });
        const [event] = service.events.slice(length);
        assert.equal(event?.name, "access.denied");
        assert.deepEqual(
          [event?.method, event?.path, event?.address, event?.actor.kind],
          ["DELETE", "/admin/jobs", "203.0.113.9", "user"],
        );
      });
    });
  }

  it("keeps to the gate's own answers for a body that comes along", async () => {
    for (const type of ["application/json", "text/xml", "x"]) {
      const response = await fetch(`${service.url}/forward-auth/jobs`, {
        method: "POST",
        headers: {
          ...bearer(alice),
          "content-type": type,
          "x-forwarded-for": "203.0.113.9",
          "x-forwarded-proto": "https",
        },
        body: "<no json>".repeat(10_000),
      });
      assert.equal(response.status, 200);
    }
  });
});

describe("the gate's limits", () => {
  it("are the client's, by the address that the proxy vouches for", async () => {
    const service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_RATE_LIMIT: "3/15m" });
    try {
      for (const proxy of Object.keys(PROXIES)) {
        const address = `198.51.100.${Object.keys(PROXIES).indexOf(proxy)}`;
        for (let n = 0; n < 3; n++) assert.equal((await askGate(service, proxy, { address })).status, 401);
        // Whatever the client claims to the left of its address is nobody's word.
        const answer = await askGate(service, proxy, { address: `192.0.2.7, ${address}` });
        assert.equal(answer.status, 429);
        assert.ok(Number(answer.headers["retry-after"]) > 0);
        assert.ok(answer.headers["ratelimit"] && answer.headers["ratelimit-policy"]);
        const neighbour = await askGate(service, proxy, { address: address.replace("198.51", "198.18") });
        assert.equal(neighbour.status, 401);
      }
    } finally {
      await service.stop();
    }
  });
});
