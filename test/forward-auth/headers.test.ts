import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import { askGate, PROXIES } from "./proxies.ts";

const RULES = "/assets public, /healthz public, /admin role:admin";

describe("any headers at the gate", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_GATE_RULES: RULES });
  });
  after(() => service.stop());

  it("R33: no header but a credential opens the gate", async () => {
    const name = fc.oneof(
      fc.constantFrom(
        ...["user-agent", "accept", "origin", "referer", "sec-fetch-site", "sec-fetch-mode", "x-csrf-token"],
        ...[
          "x-auth-user",
          "x-auth-role",
          "x-auth-scopes",
          "x_auth_user",
          "x.auth.user",
          "x-user",
          "remote-user",
        ],
        ...[
          "x-forwarded-user",
          "x-real-ip",
          "x-forwarded-prefix",
          "x-http-method-override",
          "via",
          "forwarded",
        ],
        ...[
          "x-forwarded-uri",
          "x-original-url",
          "x-request-id",
          "x-envoy-original-path",
          "access-control-request-method",
        ],
      ),
      fc.stringMatching(/^[a-z][a-z_.-]{0,15}$/),
    );
    const value = fc.oneof(
      fc.constantFrom(
        ...[
          "kube-probe/1.30",
          "GoogleHC/1.0",
          "ELB-HealthChecker/2.0",
          "/assets",
          "/healthz",
          "admin",
          "GET",
        ],
        ...[
          "alice",
          "true",
          "null",
          "same-origin",
          "navigate",
          "127.0.0.1",
          "for=127.0.0.1;proto=https",
          "text/html",
        ],
      ),
      fc.stringMatching(/^[\x21-\x7e]{1,20}$/),
    );
    const credentials = ["authorization", "cookie", "x-api-key"];
    const framing = [
      "host",
      "connection",
      "content-length",
      "transfer-encoding",
      "upgrade",
      "expect",
      "te",
      "trailer",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, value), { maxLength: 6 }),
        fc.constantFrom(...Object.keys(PROXIES)),
        async (headers, proxy) => {
          const lines = headers
            .filter(([one]) => !credentials.includes(one) && !framing.includes(one))
            .map(([one, text]) => `${one}: ${text}`);
          const { status } = await askGate(service, proxy, { lines });
          assert.ok(status >= 400 && status < 500, `${status}`);
        },
      ),
      { numRuns: 300 },
    );
  });
});
