import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { startRestoreGuard } from "../../src/service/restore-guard.ts";

const MINUTE_MS = 60_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

it("a data directory that cannot be written is told once, not every minute, and again after it could be", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const directory = mkdtempSync(join(tmpdir(), "kyros-guard-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const dataDir = join(directory, "data");
  const failures: unknown[] = [];
  let seq = 1;
  const guard = await startRestoreGuard({
    dataDir,
    databaseUrl: "postgres://db.internal/kyros",
    audit: { head: async () => ({ seq: seq++, hash: "h" }), entriesAfter: async () => [] },
    onFailure: (error) => void failures.push(error),
  });
  const minutePasses = async () => {
    t.mock.timers.tick(MINUTE_MS);
    await settled();
  };
  /** A file stands where the directory was. */
  const block = () => {
    rmSync(dataDir, { recursive: true });
    writeFileSync(dataDir, "");
  };
  assert.equal(failures.length, 0);
  block();
  await minutePasses();
  await minutePasses();
  assert.equal(failures.length, 1);

  rmSync(dataDir);
  await minutePasses();
  block();
  await minutePasses();
  assert.equal(failures.length, 2);
  await guard.stop();
});
