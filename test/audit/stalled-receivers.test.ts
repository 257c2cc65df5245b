import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { createDelivery } from "../../src/service/audit-sinks/delivery.ts";
import { sendToSyslog } from "../../src/service/audit-sinks/syslog.ts";

describe("a receiver of the audit trail that stands still", () => {
  it("has its connection ended, in place of filling it with every try", async () => {
    const ended: Promise<unknown>[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined).pause();
      ended.push(new Promise((resolve) => socket.once("close", resolve)));
      // Only what is read shows that the other end has gone.
      setTimeout(() => socket.resume(), 200);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const sender = sendToSyslog({ host: "127.0.0.1", port, tls: false });
    const batch = [{ line: "x".repeat(16 << 20), name: "auth.logout", atMs: 0, failed: false }];
    for (let n = 1; n <= 2; n += 1) {
      await assert.rejects(sender.send(batch, AbortSignal.timeout(50)));
      assert.equal(ended.length, n);
    }
    await Promise.all(ended);
    server.close();
  });

  it("holds nobody up at the end, though its sender hears no signal", { timeout: 10_000 }, async () => {
    const failures: unknown[] = [];
    const delivery = createDelivery({
      sender: { send: () => new Promise(() => undefined) },
      onFailure: (error) => void failures.push(error),
    });
    delivery.push({ line: "{}", name: "auth.logout", atMs: 0, failed: false });
    await delivery.close();
    assert.equal(delivery.dropped, 1);
    assert.match(String(failures[0]), /is closed, and has missed 1/);
  });
});
