import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { bearer } from "../service/ask.ts";
import { runService } from "../service/running-service.ts";
import type { GateService } from "./gate-service.ts";
import { runGate } from "./gate-service.ts";
import type { ClientRequest } from "./proxies.ts";
import { askGate, identityOf, PROXIES } from "./proxies.ts";

describe("the gate before another service", () => {
  let gateService: GateService;
  before(async () => {
    gateService = await runGate();
  });
  after(() => gateService.service.stop());

  for (const proxy of Object.keys(PROXIES)) {
    describe(`asked by ${proxy}`, () => {
      const gate = (request: ClientRequest) => askGate(gateService.service, proxy, request);

      it("lets a user pass, and says who it is", async () => {
        const { alice } = gateService;
        const answer = await gate({ target: "/jobs?a=1", lines: [`authorization: Bearer ${alice}`] });
        assert.equal(answer.status, 200);
        assert.deepEqual(identityOf(answer), ["alice", "user", ""]);
        assert.equal(answer.body, "");
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.ok(answer.headers["content-security-policy"]);
      });

      it("lets a program pass with its scopes, and never with its owner's rank", async () => {
        const { key } = gateService;
        const answer = await gate({ target: "/reports", lines: [`x-api-key: ${key}`] });
        assert.equal(answer.status, 200);
        assert.deepEqual(identityOf(answer), ["root", "user", "reports:read jobs:*"]);
      });

      it("lets nobody pass in particular where that is public, and says so in every header", async () => {
        const { alice } = gateService;
        const answer = await gate({ target: "/assets/app.js", lines: [`authorization: Bearer ${alice}`] });
        assert.equal(answer.status, 200);
        assert.deepEqual(identityOf(answer), ["", "", ""]);
      });

      it("says who it is where that is optional", async () => {
        const { alice } = gateService;
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
        const { alice, root, key } = gateService;
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

      it("records a refusal with the original request and the client's address", async () => {
        const { service, alice } = gateService;
        const { length } = service.events;
        await gate({
          method: "DELETE",
          target: "/admin/jobs?secret=x",
          lines: [`authorization: Bearer ${alice}`],
        });
        // The first use of a key that was shown before is told in its own time.
        const event = service.events.slice(length).find(({ name }) => name !== "api_key.used_first");
        assert.equal(event?.name, "access.denied");
        assert.deepEqual(
          [event?.method, event?.path, event?.address, event?.actor.kind],
          ["DELETE", "/admin/jobs", "203.0.113.9", "user"],
        );
      });
    });
  }

  it("counts what it decides by guard, and is in the description of the API", async () => {
    const { service, root } = gateService;
    const asProxy = { ...bearer(root), "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" };
    const get = async (path: string) => (await fetch(service.url + path, { headers: asProxy })).text();
    const refused = async () => {
      const line = /^kyros_guard_decisions_total\{guard="require",outcome="deny"\} (\d+)$/m.exec(
        await get("/metrics"),
      );
      return Number(line?.[1] ?? 0);
    };
    const before = await refused();
    await askGate(service, "Caddy");
    await askGate(service, "Caddy", { target: "/a/../b" });
    assert.equal(await refused(), before + 2);
    assert.match(await get("/metrics"), /route="\/forward-auth"/);
    assert.ok(JSON.parse(await get("/openapi.json")).paths["/forward-auth"].get);
  });

  it("keeps to the gate's own answers for a body that comes along", async () => {
    for (const type of ["application/json", "text/xml", "x"]) {
      const response = await fetch(`${gateService.service.url}/forward-auth/jobs`, {
        method: "POST",
        headers: {
          ...bearer(gateService.alice),
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
