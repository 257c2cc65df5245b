import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { rawRequest } from "../service/raw-request.ts";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import { send } from "./proxies.ts";

const RULES = "/jobs public, POST+DELETE /jobs role:admin, /assets public, /admin role:admin";

describe("what a service behind the gate could read in another way", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_GATE_RULES: RULES });
  });
  after(() => service.stop());

  const asked = async (method: string, uri: string, more: readonly string[] = []) => {
    const lines = [
      "x-forwarded-for: 203.0.113.9",
      "x-forwarded-proto: https",
      "x-forwarded-host: app.example",
      `x-forwarded-method: ${method}`,
      `x-forwarded-uri: ${uri}`,
    ];
    return (await send(service, rawRequest("GET", "/forward-auth", [...lines, ...more]))).status;
  };

  it("is not a method in small letters, which some frameworks read as capitals", async () => {
    assert.equal(await asked("GET", "/jobs"), 200);
    assert.equal(await asked("POST", "/jobs"), 401);
    for (const method of ["post", "Post", "delete", "get"]) assert.equal(await asked(method, "/jobs"), 403);
  });

  it("is not a header that names another method, where that has another rule", async () => {
    for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
      for (const value of ["DELETE", "delete", " Delete"]) {
        assert.equal(await asked("GET", "/jobs", [`${name}: ${value}`]), 403, `${name}: ${value}`);
      }
      assert.equal(await asked("GET", "/jobs", [`${name}: PUT`, `${name}: DELETE`]), 403);
      assert.equal(await asked("GET", "/jobs", [`${name}: PUT`]), 200);
      assert.equal(await asked("POST", "/assets", [`${name}: DELETE`]), 200);
    }
  });

  it("is no upgrade but to WebSocket: what comes in the new protocol, no gate sees", async () => {
    for (const line of [
      "upgrade: h2c",
      "upgrade: websocket, h2c",
      "upgrade: HTTP/3",
      "http2-settings: AAMA",
    ]) {
      assert.equal(await asked("GET", "/assets", [line]), 403, line);
    }
    for (const line of ["upgrade: websocket", "upgrade: WebSocket", "upgrade-insecure-requests: 1"]) {
      assert.equal(await asked("GET", "/assets", [line]), 200, line);
    }
  });

  it("is no path whose look-alikes mean something", async () => {
    const paths = [
      "/assets/\uff0e\uff0e/admin",
      "/assets/\u2025/admin",
      "/assets/\u2024/admin",
      "/assets\uff0f..\uff0fadmin",
      "/assets\uff3cadmin",
      "/assets\uff1bx",
      "/assets/\uff05\u0032e",
      "/assets/.. /admin",
      "/assets/..\u00a0/admin",
    ];
    for (const path of paths) {
      const uri = path.split("/").map(encodeURIComponent).join("/");
      assert.equal(await asked("GET", uri), 403, uri);
    }
    for (const uri of ["/assets/...", "/assets/%E2%80%A6", "/assets/a%20..b", "/assets/%E5%9B%BE"]) {
      assert.equal(await asked("GET", uri), 200, uri);
    }
  });
});
