import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { assertEveryHeader } from "./every-header.ts";
import { sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

describe("bytes that are no request, or none that RFC 9112 lets a server serve", () => {
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
    ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400, "validation_failed"],
    ["two Hosts", "GET /healthz HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n", 400, "validation_failed"],
    ["two Hosts that agree", "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400, "validation_failed"],
    ["no version (HTTP/0.9)", "GET /healthz\r\n\r\n", 400, "validation_failed"],
    [
      "a transfer coding that ends no body",
      "POST /auth/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n",
      400,
      "validation_failed",
    ],
    [
      "chunks of HTTP/1.0, and what follows them",
      "GET /healthz HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n",
      400,
      "validation_failed",
    ],
    [
      "an expectation that nobody meets",
      "POST /auth/login HTTP/1.1\r\nhost: a\r\nexpect: 200-ok\r\ncontent-length: 2\r\n\r\n{}",
      417,
      "validation_failed",
    ],
    ["CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nhost: a\r\n\r\n", 400, "validation_failed"],
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

  it("may be of HTTP/1.0 without a Host, and may announce their body", async () => {
    assert.equal((await sendRaw(service.url, "GET /healthz HTTP/1.0\r\n\r\n"))?.status, 200);
    const head =
      "POST /auth/login HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json";
    const announced = `${head}\r\nexpect: 100-Continue\r\ncontent-length: 2\r\n\r\n{}`;
    assert.equal((await sendRaw(service.url, announced))?.status, 100);
  });

  const CONNECT = "CONNECT example.org:443 HTTP/1.1\r\nhost: a\r\n\r\n";

  // A socket's error that nobody listens for fails the test that has the service, as it would end a process.
  it("end no process where a CONNECT is reset in the middle of its answer", async () => {
    const own = await runService();
    for (let n = 0; n < 50; n += 1) {
      const client = connect(Number(new URL(own.url).port), "127.0.0.1").on("error", () => undefined);
      await once(client, "connect");
      client.write(CONNECT);
      if (n % 2 === 0) await nextTurn();
      client.resetAndDestroy();
    }
    await pause(50);
    assert.equal((await fetch(`${own.url}/healthz`)).status, 200);
    await own.stop();
  });

  it("keep no connection of a CONNECT whose client does not hang up", async () => {
    const client = connect({
      port: Number(new URL(service.url).port),
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    client.on("error", () => undefined).resume();
    client.write(CONNECT);
    await once(client, "end");
    // What is written to a connection that is closed at the other end fails, from the second time on.
    for (let n = 0; n < 60 && !client.destroyed; n += 1) {
      client.write("x");
      await pause(50);
    }
    assert.ok(client.destroyed);
  });
});
