import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertEveryHeader } from "./every-header.ts";
import { sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

describe("bytes that are no request", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const table = [
    ["no request line", "hello\r\n\r\n", 400, "validation_failed"],
    ["a header name with a space", "GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400, "validation_failed"],
    [
      "two lengths (request smuggling)",
      "POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
      400,
      "validation_failed",
    ],
    [
      "endless headers",
      `GET / HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(20_000)}\r\n\r\n`,
      431,
      "payload_too_large",
    ],
  ] as const;

  for (const [what, bytes, status, code] of table) {
    it(`are answered with every header of any other refusal: ${what}`, async () => {
      const answer = await sendRaw(service.url, bytes);
      assert.equal(answer?.status, status);
      const lines = answer.head.split("\r\n").slice(1);
      const headers = new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
      assertEveryHeader(new Response(null, { headers }));
      assert.equal(headers.get("connection"), "close");
      const body = JSON.parse(answer.body);
      assert.equal(body.code, code);
      assert.equal(body.instance, headers.get("x-request-id"));
    });
  }
});
