import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runService } from "../service/running-service.ts";
import { startInFront, without } from "./in-front.ts";

for (const command of ["nginx", "caddy"] as const) {
  describe(`the limits and outages of the gate, in a real ${command}`, { skip: without(command) }, () => {
    it("are told to the client, and close the gate", async () => {
      const service = await runService({
        KYROS_TRUST_PROXY: "127.0.0.1",
        KYROS_GATE_RULES: "/ public",
        KYROS_RATE_LIMIT: "2/15m",
      });
      const gate = await startInFront(command, service.url);
      try {
        const bytes = Buffer.from("GET /x HTTP/1.1\r\nhost: app.example\r\nconnection: close\r\n\r\n");
        const statuses = [await gate.send(bytes), await gate.send(bytes)].map(({ status }) => status);
        assert.deepEqual(statuses, [200, 200]);
        const limited = await gate.send(bytes);
        assert.equal(limited.status, 429);
        const names = limited.headers.map(([name]) => name);
        for (const name of ["retry-after", "ratelimit", "ratelimit-policy"])
          assert.ok(names.includes(name), name);
        await service.stop();
        const { length } = gate.seen;
        const closed = await gate.send(bytes);
        assert.ok(closed.status === 502 || closed.status === 503, String(closed.status));
        assert.equal(gate.seen.length, length);
      } finally {
        await gate.stop();
        await service.stop().catch(() => undefined);
      }
    });
  });
}
