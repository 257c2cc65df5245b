import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { loadSettings } from "../../../src/config/load.ts";
import type { RunningService } from "../../../src/service/start.ts";
import { startWorkers } from "../../../src/service/workers/start-workers.ts";

const ENDING_WORKER = new URL("./ending-worker.ts", import.meta.url);
const STORM = 120;
/** One being hashed and 64 waiting, as for one worker (src/crypto/password.ts). */
const PENDING_AT_MOST = 65;

describe("workers", () => {
  let dataDir: string;
  let failures: Error[];
  let service: RunningService;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "kyros-workers-"));
    failures = [];
    const settings = loadSettings({
      KYROS_PORT: "0",
      KYROS_DATA_DIR: dataDir,
      KYROS_BCRYPT_COST: "10",
      KYROS_RATE_LIMIT: "100/366d",
      KYROS_LOGIN_RATE_LIMIT: "off",
      KYROS_LOG_LEVEL: "fatal",
    });
    const log = {
      events: { record: () => undefined },
      failure: (error: unknown) => void failures.push(error as Error),
      info: () => undefined,
    };
    service = await startWorkers(settings, log, 2, ENDING_WORKER);
  });
  afterEach(async () => {
    await service.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A connection of its own each time, so that either worker may get it. */
  const ask = (path: string) => fetch(service.url + path, { headers: { connection: "close" } });
  const remaining = async () => Number((await ask("/protected")).headers.get("x-ratelimit-remaining"));
  const until = async (holds: () => boolean) => {
    for (let n = 0; n < 3000 && !holds(); n++) await delay(10);
    assert.ok(holds());
  };

  it("replaces one that ended, says so in one line, and loses no count of a limit", async () => {
    const before = await remaining();
    await writeFile(join(dataDir, "end-worker-1-once"), "");
    await until(() => failures.length > 0);
    // The other serves meanwhile.
    assert.equal((await ask("/healthz")).status, 200);
    await delay(1000);
    assert.equal(await remaining(), before - 1);
    assert.equal(failures.length, 1);
    assert.match(failures[0]!.message, /^worker 1 ended and starts again in 100 ms$/);
    assert.equal((failures[0]!.cause as Error).message, "ended on demand");
  });

  it("ends as a whole where one keeps ending", async () => {
    await writeFile(join(dataDir, "end-worker-2"), "");
    await assert.rejects(service.failure!, {
      message: "worker 2 keeps ending: ended on demand",
      code: "ERR_WORKER",
    });
    assert.equal(failures.length, 4);
    await assert.rejects(ask("/healthz"));
  });

  it("hashes no more passwords at once, and lets no more wait, than one worker would", async () => {
    const login = async () => {
      const answer = await fetch(`${service.url}/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json", connection: "close" },
        body: JSON.stringify({ username: "nobody", password: "correct horse battery staple" }),
      });
      return answer.status;
    };
    // Signing in counts against the limit of the address, of which 100 are allowed.
    const statuses = await Promise.all(Array.from({ length: STORM }, login));
    const count = (status: number) => statuses.filter((one) => one === status).length;
    assert.equal(count(401) + count(503) + count(429), STORM);
    assert.ok(count(503) > 0, `${count(401)} were hashed`);
    assert.ok(count(401) >= PENDING_AT_MOST);
  });
});
