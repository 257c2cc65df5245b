import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import { spellings } from "../service/spellings.ts";
import { askGate, PROXIES } from "./proxies.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "get", "PROPFIND"];
const RULES = "/assets public, /healthz public, /admin role:admin";

describe("spellings of a path at the gate", () => {
  let service: TestService;
  let user: string;
  before(async () => {
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_GATE_RULES: RULES });
    await service.createUser("alice");
    user = (await service.login("alice")).access_token;
  });
  after(() => service.stop());

  for (const proxy of Object.keys(PROXIES)) {
    for (const path of ["/admin", "/jobs"]) {
      it(`R15: ${path} is closed in every spelling, by every method, asked by ${proxy}`, async () => {
        for (const target of spellings(path)) {
          await Promise.all(
            METHODS.map(async (method) => {
              const answer = await askGate(service, proxy, { method, target });
              assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${target}: ${answer.status}`);
              if (path !== "/admin") return;
              const lines = [`authorization: Bearer ${user}`];
              const shown = await askGate(service, proxy, { method, target, lines });
              const what = `${method} ${target} by a user: ${shown.status}`;
              // Another resource's name, as a server reads it: then a user may, and no reading makes it /admin.
              const isAnother = /^\/admin(%20|%E2%80%8B|\.json)?$/.test(target) && target !== "/admin";
              if (isAnother || target.startsWith("http")) return;
              assert.ok(shown.status >= 400 && shown.status < 500, what);
            }),
          );
        }
      });
    }
  }
});
