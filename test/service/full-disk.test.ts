import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ask, bearer } from "./ask.ts";
import { PASSWORD, runService } from "./running-service.ts";

/** A small disk of its own at `directory`, or why there can be none. */
function mountSmallDisk(directory: string): string | undefined {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", directory], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `a tmpfs cannot be mounted here (it takes root): ${(error as Error).message.split("\n")[0]}`;
  }
}

function fillUp(directory: string): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    for (let n = 0; ; n += 1) {
      try {
        writeFileSync(join(directory, `ballast-${size}-${n}`), Buffer.alloc(size, 1));
      } catch {
        break;
      }
    }
    if (size <= 4096) break;
  }
}

it("on a full disk, security acts are 503 and reads go on; with room again, all is well by itself", async (t) => {
  const disk = mkdtempSync(join(tmpdir(), "kyros-full-"));
  const problem = mountSmallDisk(disk);
  if (problem !== undefined) {
    rmSync(disk, { recursive: true });
    t.skip(problem);
    return;
  }
  try {
    const service = await runService({ KYROS_DATA_DIR: disk });
    try {
      await service.createUser("alice");
      await service.createUser("root", "admin");
      const alice = bearer((await service.login("alice")).access_token);
      const admin = bearer((await service.login("root")).access_token);
      const login = (password = PASSWORD) =>
        ask(service, "POST", "/auth/login", {}, { username: "alice", password });
      fillUp(disk);
      // The write-ahead log still has room of its own for a while.
      let refused = await login();
      for (let n = 0; n < 300 && refused.status === 200; n += 1) refused = await login();
      assert.equal(refused.status, 503);
      assert.equal(refused.body.code, "unavailable");
      for (const answer of [
        await login(),
        await login("wrong"),
        await ask(service, "POST", "/auth/logout", alice),
      ]) {
        assert.equal(answer.status, 503);
        assert.equal(answer.body.code, "unavailable");
      }
      assert.equal((await ask(service, "GET", "/protected", alice)).status, 200);
      assert.equal((await ask(service, "GET", "/admin/audit", admin)).status, 200);
      assert.equal((await ask(service, "GET", "/admin/users", admin)).status, 200);
      assert.equal((await ask(service, "GET", "/admin/users", alice)).status, 403, "a refusal is one");

      for (const file of execFileSync("find", [disk, "-name", "ballast-*"], { encoding: "utf8" })
        .trim()
        .split("\n")) {
        rmSync(file);
      }
      let answer = await login();
      for (let n = 0; n < 200 && answer.status !== 200; n += 1) {
        await pause(50);
        answer = await login();
      }
      assert.equal(answer.status, 200);
      const { body } = await ask(service, "GET", "/admin/audit?type=store.recovered", admin);
      assert.ok(body.items.length >= 1);
    } finally {
      await service.stop();
    }
  } finally {
    execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  }
});
