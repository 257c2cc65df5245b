import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { RawAnswer } from "./raw-request.ts";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

let service: TestService;
before(async () => {
  service = await runService();
});
afterEach(() => assert.deepEqual(service.failures, []));
after(() => service.stop());

/** Sends bytes that `fetch` would not. */
async function raw(method: string, path: string, lines: string[] = [], body = ""): Promise<RawAnswer> {
  const answer = await sendRaw(service.url, rawRequest(method, path, lines, Buffer.from(body)));
  assert.ok(answer !== undefined, "no answer");
  return answer;
}

function assertRawProblem(answer: RawAnswer | undefined, status: number, code: string): void {
  assert.equal(answer?.status, status);
  assert.match(answer.head, /^content-type: application\/problem\+json/im);
  assert.equal(JSON.parse(answer.body).code, code);
}

describe("a request target", () => {
  for (const path of [
    "/nothing",
    "/protected/",
    "//protected",
    "/PROTECTED",
    "/auth",
    "/docs/../protected",
  ]) {
    it(`${path} is nothing here`, async () => assertRawProblem(await raw("GET", path), 404, "not_found"));
  }

  for (const path of ["/%", "/%zz", "/%c0%af", "/auth/sessions/%ff", "/protected%"]) {
    it(`${path} is badly encoded`, async () => {
      assertRawProblem(await raw("GET", path), 400, "validation_failed");
    });
  }

  it("has no parameter of endless length", async () => {
    const answer = await raw("DELETE", `/auth/sessions/${"a".repeat(5000)}`);
    assert.ok([400, 401, 404].includes(answer.status), `answered ${answer.status}`);
  });
});

describe("a method", () => {
  const table = [
    ["POST", "/protected", "GET, HEAD"],
    ["PUT", "/auth/login", "POST"],
    ["GET", "/auth/login", "POST"],
    ["GET", "/auth/session", "DELETE, POST"],
    ["TRACE", "/protected", "GET, HEAD"],
    ["PROPFIND", "/healthz", "GET, HEAD"],
  ] as const;
  for (const [method, path, allow] of table) {
    it(`${method} is not one of ${path}`, async () => {
      const answer = await raw(method, path, ["x-secret: canary"]);
      assertRawProblem(answer, 405, "method_not_allowed");
      assert.match(answer.head, new RegExp(`^allow: ${allow}$`, "im"));
      assert.equal(answer.body.includes("canary"), false, "TRACE would echo the request");
    });
  }

  it("HEAD answers as GET does, without the body", async () => {
    const answer = await raw("HEAD", "/healthz");
    assert.deepEqual([answer.status, answer.body], [200, ""]);
  });
});

describe("bytes that are no request", () => {
  const host = "host: a\r\n";
  const table: Readonly<Record<string, string>> = {
    "no HTTP at all": "hello\r\n\r\n",
    "an unknown method": `FOO / HTTP/1.1\r\n${host}\r\n`,
    "an unknown version": `GET /protected HTTP/9.9\r\n${host}\r\n`,
    "a blank in the target": `GET /a b HTTP/1.1\r\n${host}\r\n`,
    "a control character in a header": `GET / HTTP/1.1\r\n${host}a: \0\r\n\r\n`,
    "a blank before the colon": `GET / HTTP/1.1\r\n${host}a : b\r\n\r\n`,
    "two lengths": `POST / HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
    "a length and chunks": `POST / HTTP/1.1\r\n${host}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    "a negative length": `POST / HTTP/1.1\r\n${host}content-length: -1\r\n\r\n`,
    "a TLS handshake": "\x16\x03\x01\x02\x00\x01\x00",
  };
  for (const [name, bytes] of Object.entries(table)) {
    it(`are refused: ${name}`, async () => {
      const answer = await sendRaw(service.url, Buffer.from(bytes, "latin1"));
      assertRawProblem(answer, 400, "validation_failed");
      assert.match(answer!.head, /^x-content-type-options: nosniff$/im);
      assert.match(answer!.head, /^connection: close$/im);
    });
  }
});
