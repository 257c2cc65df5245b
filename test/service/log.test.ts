import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLog } from "../../src/service/log.ts";
import { logDestination } from "../../src/service/log-destination.ts";
import { temporaryDirectory } from "../stores/temporary-stores.ts";

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

describe("where the log is written", () => {
  it("may be a full disk: nothing is thrown at who logs", () => {
    const log = createLog("info", logDestination(openSync("/dev/full", "w")));
    for (let n = 0; n < 3; n += 1) log.failure(new Error("boom"));
  });

  it("may be a pipe whose reader stands still: nobody waits, and the lines come in order once it goes on", async () => {
    const { directory, remove } = temporaryDirectory();
    const path = join(directory, "pipe");
    execFileSync("mkfifo", [path]);
    const { O_RDWR, O_NONBLOCK } = constants;
    const pipe = openSync(path, O_RDWR | O_NONBLOCK);
    remove();
    const log = createLog("info", logDestination(pipe));
    const most = 20_000;
    for (let n = 0; n < most; n += 1) log.info(`line ${n}, ${"x".repeat(50)}`);
    let text = "";
    const buffer = Buffer.alloc(1 << 20);
    for (let empty = 0; empty < 10; ) {
      try {
        text += buffer.toString("latin1", 0, readSync(pipe, buffer));
        empty = 0;
      } catch {
        empty += 1;
        await pause(10);
      }
    }
    log.info("the last");
    text += buffer.toString("latin1", 0, readSync(pipe, buffer));
    closeSync(pipe);
    const told = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).message as string);
    assert.equal(told.pop(), "the last");
    assert.ok(told.length > 5000 && told.length < most, `${told.length} lines`);
    for (const [n, message] of told.entries()) assert.ok(message.startsWith(`line ${n},`), message);
  });

  it("may be read slowly: what is left is written at the end of the process", async () => {
    const script = `
      import { createLog } from "${new URL("../../src/service/log.ts", import.meta.url).href}";
      process.stdout;
      const log = createLog("info");
      for (let n = 0; n < 7000; n += 1) log.info("line " + n + "x".repeat(50));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    await pause(400);
    for await (const chunk of child.stdout.setEncoding("utf8")) text += chunk;
    assert.equal(text.split("\n").length, 7001);
  });
});
