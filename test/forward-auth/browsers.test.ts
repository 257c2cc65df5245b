import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { GateService } from "./gate-service.ts";
import { PAGE, runGate } from "./gate-service.ts";
import type { ClientRequest } from "./proxies.ts";
import { askGate, identityOf, PROXIES } from "./proxies.ts";

describe("browsers at the gate", () => {
  let gateService: GateService;
  before(async () => {
    gateService = await runGate();
  });
  after(() => gateService.service.stop());

  for (const proxy of Object.keys(PROXIES)) {
    describe(`asked by ${proxy}`, () => {
      const gate = (request: ClientRequest) => askGate(gateService.service, proxy, request);

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
        const { alice } = gateService;
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
        const { alice, cookie, csrf } = gateService;
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
        const { cookie } = gateService;
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
        const { alice } = gateService;
        const lines = [`authorization: Bearer ${alice}`];
        assert.equal((await gate({ scheme: "http", lines })).status, 400);
        const page = await gate({ scheme: "http", target: "/jobs?x", lines: PAGE });
        assert.deepEqual([page.status, page.headers["location"]], [308, "https://app.example/jobs?x"]);
      });
    });
  }
});
