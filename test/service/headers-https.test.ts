import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertEveryHeader } from "./every-header.ts";
import { sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const JSON_HEADERS = { "content-type": "application/json" };

describe("Strict-Transport-Security", () => {
  const forwarded = { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" };

  it("comes over HTTPS as a trusted proxy tells it, on refusals too", async () => {
    const service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1/32" });
    try {
      for (const path of ["/healthz", "/protected", "/nothing", "/%zz"]) {
        const secure = await fetch(service.url + path, { headers: forwarded });
        assert.equal(
          secure.headers.get("strict-transport-security"),
          "max-age=63072000; includeSubDomains",
          path,
        );
        const plain = await fetch(service.url + path, { headers: { "x-forwarded-proto": "http" } });
        assert.equal(plain.headers.get("strict-transport-security"), null, path);
      }
    } finally {
      await service.stop();
    }
  });

  it("does not come on the word of anybody else", async () => {
    const service = await runService({ KYROS_TRUST_PROXY: "192.0.2.0/24" });
    try {
      const response = await fetch(`${service.url}/healthz`, { headers: forwarded });
      assert.equal(response.headers.get("strict-transport-security"), null);
    } finally {
      await service.stop();
    }
  });
});

describe("where HTTPS is forced", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_FORCE_HTTPS: "on" });
  });
  after(() => service.stop());

  const navigation = ["host: kyros.example:8000", "sec-fetch-mode: navigate", "accept: text/html"];
  const send = (path: string, lines: readonly string[], method = "GET") => {
    const [host, ...rest] = lines;
    const head = [`${method} ${path} HTTP/1.1`, host, "connection: close", ...rest];
    return sendRaw(service.url, `${head.join("\r\n")}\r\n\r\n`);
  };

  it("a program's request is refused, so that it finds out", async () => {
    for (const path of ["/protected", "/auth/user", "/nothing"]) {
      const response = await fetch(service.url + path, { headers: { authorization: "Bearer x" } });
      assert.equal(response.status, 400, path);
      assert.equal(((await response.json()) as { code: string }).code, "https_required");
      assertEveryHeader(response);
    }
  });

  it("a sign-in is refused before its password is looked at", async () => {
    const response = await fetch(`${service.url}/auth/login`, {
      method: "POST",
      headers: JSON_HEADERS,
      body: "{",
    });
    assert.equal(((await response.json()) as { code: string }).code, "https_required");
  });

  it("a probe is answered", async () => {
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
  });

  it("a navigation to a page is sent on to the same page, by the host without its port", async () => {
    const answer = await send("/docs?a=b", navigation);
    assert.equal(answer?.status, 308);
    assert.match(answer.head, /^location: https:\/\/kyros\.example\/docs\?a=b$/im);
    assert.match(answer.head, /^cache-control: no-store$/im);
    assert.match(answer.head, /^content-security-policy: /im);
    assert.doesNotMatch(answer.head, /^strict-transport-security:/im);
  });

  it("nothing else is sent on: other routes, programs, hosts that are none", async () => {
    const answers = [
      await send("/protected", navigation),
      await send("/docs", ["host: kyros.example"]),
      await send("/docs", ["host: evil.example/@kyros.example", ...navigation.slice(1)]),
      await send("/docs", ["host: kyros.example", "sec-fetch-mode: cors", "accept: text/html"]),
    ];
    for (const answer of answers) {
      assert.equal(answer?.status, 400);
      assert.doesNotMatch(answer.head, /^location:/im);
    }
  });
});
