import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { GENESIS, linkRecords } from "../../src/identity/audit/chain.ts";
import { parseEntryLine } from "../../src/identity/audit/entry-line.ts";
import { parseStatement } from "../../src/identity/audit/statement.ts";
import { toRecord } from "../../src/identity/audit/to-record.ts";
import type { Parcel } from "../../src/service/audit-sinks/delivery.ts";
import { createDelivery } from "../../src/service/audit-sinks/delivery.ts";
import { openAuditSinks } from "../../src/service/audit-sinks/open-sinks.ts";
import { sendToSyslog } from "../../src/service/audit-sinks/syslog.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { SAMPLE_NOW_MS as NOW_MS } from "../../src/testing/samples.ts";
import { runService } from "../service/running-service.ts";
import { temporaryDirectory } from "../stores/temporary-stores.ts";
import { event, signer } from "./chains.ts";

const entries = linkRecords(GENESIS, [
  toRecord(event({ subject: "first" })),
  toRecord(event({ name: "auth.login.failed", outcome: "failure", userAgent: "a\r\n<13>1 forged \u2028" })),
]);
const appendix = { entries, statements: [signer.sign("checkpoint", entries[1]!, NOW_MS)] };
const parcel = (n: number): Parcel => ({
  line: `{"n":${n}}`,
  name: "auth.logout",
  atMs: NOW_MS,
  failed: false,
});

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 1000 && !condition(); n += 1) await pause(5);
  assert.ok(condition());
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Every message of RFC 5424 in a stream of counted octets. */
function messagesOf(received: string): string[] {
  const messages: string[] = [];
  for (let rest = received; rest !== ""; ) {
    const [, count] = /^(\d+) /.exec(rest)!;
    const start = count!.length + 1;
    messages.push(rest.slice(start, start + Number(count)));
    rest = rest.slice(start + Number(count));
  }
  return messages;
}

const MESSAGE =
  /^<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\x21-\x7e]{1,255}) kyros (\d+) ([\x21-\x7e]{1,32}) - ([\x20-\x7e]+)$/;

describe("a delivery", () => {
  it("tries again until the other end takes it, in order and once each", async () => {
    const sent: string[] = [];
    const failures: unknown[] = [];
    let down = true;
    const delivery = createDelivery({
      pauseMs: 1,
      onFailure: (error) => void failures.push(error),
      sender: {
        async send(batch) {
          if (down) throw new Error("away");
          sent.push(...batch.map(({ line }) => line));
        },
      },
    });
    for (let n = 0; n < 600; n += 1) delivery.push(parcel(n));
    await pause(20);
    assert.deepEqual([sent.length, failures.length, delivery.waiting], [0, 1, 600]);
    down = false;
    await until(() => delivery.waiting === 0);
    assert.deepEqual(
      sent,
      Array.from({ length: 600 }, (_, n) => parcel(n).line),
    );
    await delivery.close();
  });

  it("is bounded, counts what it drops, and holds nobody up in closing", async () => {
    const delivery = createDelivery({
      mostWaiting: 10,
      onFailure: () => undefined,
      sender: {
        send: (_batch, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          }),
      },
    });
    for (let n = 0; n < 25; n += 1) delivery.push(parcel(n));
    assert.deepEqual([delivery.waiting, delivery.dropped], [10, 15]);
    await delivery.close();
    assert.deepEqual([delivery.waiting, delivery.dropped], [0, 25]);
  });
});

describe("a webhook", () => {
  it("gets signed bodies, again after a failure, checkpoints too", async () => {
    const secret = "a secret of the webhook";
    const bodies: string[] = [];
    const verdicts: boolean[] = [];
    let refusals = 1;
    const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
      const { "x-kyros-timestamp": at, "x-kyros-signature": signature } = request.headers;
      verdicts.push(signature === `v1=${createHmac("sha256", secret).update(`${at}.${body}`).digest("hex")}`);
      assert.equal(at, String(Math.floor(NOW_MS / 1000)));
      refusals -= 1;
      response.writeHead(refusals >= 0 ? 500 : 204).end();
      if (refusals < 0) bodies.push(body);
    });
    const failures: unknown[] = [];
    const sinks = openAuditSinks({
      urls: [`http://127.0.0.1:${await portOf(server)}/hook`],
      webhookSecret: secret,
      clock: manualClock(NOW_MS),
      onFailure: (error) => void failures.push(error),
    });
    sinks.ship(appendix);
    await until(() => sinks.status().waiting === 0);
    const lines = bodies.join("").trimEnd().split("\n");
    assert.deepEqual(
      lines.slice(0, 2).map((line) => parseEntryLine(line)?.hash),
      entries.map(({ hash }) => hash),
    );
    assert.deepEqual(parseStatement(lines[2]!), appendix.statements[0]);
    assert.deepEqual(verdicts, [true, true]);
    // Which of several it is, without the path that may be a webhook's secret.
    assert.match((failures[0] as Error).message, /^audit sink http:\/\/127\.0\.0\.1:\d+: .*answered 500/);
    assert.ok(!String(failures[0]).includes("/hook"));
    await sinks.close();
    server.close();
  });
});

describe("syslog", () => {
  it("over TCP has counted messages of RFC 5424, a line each whatever a caller wrote", async () => {
    let received = "";
    const server = createTcpServer((socket) => {
      socket.setEncoding("latin1").on("data", (text) => {
        received += text;
      });
    });
    const sinks = openAuditSinks({
      urls: [`syslog+tcp://127.0.0.1:${await portOf(server)}`],
      webhookSecret: undefined,
      clock: manualClock(NOW_MS),
      onFailure: (error) => assert.fail(String(error)),
    });
    sinks.ship(appendix);
    await until(() => received.endsWith('"}'));
    await until(() => sinks.status().waiting === 0);
    const messages = messagesOf(received).map(
      (message) => MESSAGE.exec(message)?.slice(1) ?? assert.fail(message),
    );
    assert.deepEqual(
      messages.map(([priority, at, , , name]) => [priority, at, name]),
      [
        ["110", "2023-11-14T22:13:20.123Z", "auth.login.succeeded"],
        ["108", "2023-11-14T22:13:20.123Z", "auth.login.failed"],
        ["110", "2023-11-14T22:13:20.123Z", "audit.checkpoint"],
      ],
    );
    assert.equal(parseEntryLine(messages[1]![5]!)?.hash, entries[1]!.hash);
    await sinks.close();
    server.close();
  });

  it("over TLS speaks to whom it trusts, and to nobody else", async (t) => {
    const { directory, remove } = temporaryDirectory();
    t.after(remove);
    const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
    try {
      const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      const args = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
        "-days",
        "1",
      ];
      execFileSync("openssl", [...args, ...names], { stdio: "pipe" });
    } catch (error) {
      t.skip(`openssl made no certificate: ${(error as Error).message.split("\n")[0]}`);
      return;
    }
    let received = "";
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
      socket.setEncoding("latin1").on("data", (text) => {
        received += text;
      });
    });
    server.on("tlsClientError", () => undefined);
    server.listen(0, "localhost");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const to = { host: "localhost", port, tls: true };
    const { signal } = new AbortController();
    await assert.rejects(sendToSyslog(to).send([parcel(1)], signal), /self-signed/);
    assert.equal(received, "");
    const sender = sendToSyslog({ ...to, ca: readFileSync(cert, "utf8") });
    await sender.send([parcel(2)], signal);
    await until(() => received !== "");
    sender.end!();
    assert.match(messagesOf(received)[0]!, MESSAGE);
    server.close();
  });
});

describe("a file", () => {
  it("of the service's has every entry of its trail, for its owner's eyes only", async () => {
    const { directory, remove } = temporaryDirectory();
    const path = join(directory, "trail.jsonl");
    const service = await runService({ KYROS_AUDIT_SINK: `file:${path}` });
    try {
      await service.createUser("alice");
      await service.login("alice");
    } finally {
      await service.stop();
    }
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => parseEntryLine(line)?.seq),
      [1, 2],
    );
    assert.equal(statSync(path).mode & 0o777, 0o600);
    remove();
  });
});
