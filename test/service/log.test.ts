import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../../src/service/log.ts";

describe("the log", () => {
  it("keeps a caller's words in their line, whatever they are", () => {
    const written: string[] = [];
    const log = createLog("info", { write: (line: string) => void written.push(line) });
    const forged = 'x\n{"event":"auth.login.succeeded"}\r\n\u2028\u0000\u001b[2J';
    log.events.record({
      name: "auth.login.failed",
      atMs: 0,
      outcome: "failure",
      actor: { kind: "anonymous" },
      subject: forged,
      userAgent: forged.repeat(100),
    });
    assert.equal(written.length, 1);
    assert.equal(written[0]!.trimEnd().split("\n").length, 1);
    const line = JSON.parse(written[0]!);
    assert.equal(line.event, "auth.login.failed");
    assert.equal(line.subject, forged);
    assert.equal(line.user_agent.length, 256);
  });

  it("redacts what a foreign error carries under a secret's name", () => {
    const written: string[] = [];
    const log = createLog("info", { write: (line: string) => void written.push(line) });
    log.failure(
      Object.assign(new Error("boom"), { password: "CANARY-1", headers: { authorization: "CANARY-2" } }),
    );
    assert.equal(written.length, 1);
    assert.doesNotMatch(written[0]!, /CANARY/);
    assert.match(written[0]!, /boom/);
  });
});
