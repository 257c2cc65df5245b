import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { openSharedLimits } from "../../src/stores/shared-limits.ts";
import { sampleChallenge } from "../../src/testing/factor-samples.ts";
import { SAMPLE_NOW_MS } from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import { openRedisChallenges } from "./redis-challenges.ts";
import { HASH_KEY } from "./redis-limits.ts";
import { freePort, startRedis, WITHOUT_REDIS } from "./redis-server.ts";

const PASSWORD = "correct-horse/battery:staple@";
const ENCODED = encodeURIComponent(PASSWORD);

async function open(t: TestContext, url: string) {
  const events: AuditEvent[] = [];
  const shared = await openSharedLimits({
    urls: [url],
    hashKey: HASH_KEY,
    clock: systemClock,
    random: systemRandom,
    events: { record: (event) => void events.push(event) },
    onFailure: assert.fail as (error: unknown) => void,
  });
  t.after(() => shared.close());
  return { shared, events };
}

/** A certificate for 127.0.0.1 that nobody else vouches for. */
async function certificate(t: TestContext): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), "kyros-tls-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-nodes", "-days", "2", ...curve, ...subject, "-out", cert, "-keyout", key],
  ]);
  return { cert, key };
}

describe("access to redis", { skip: WITHOUT_REDIS }, () => {
  it("needs no more rights than docs/operations.md lists", async (t) => {
    const page = await readFile(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
    const rights = /ACL SETUSER kyros on >password (.+)/.exec(page)![1]!.split(" ");
    const server = await startRedis();
    t.after(() => server.stop());
    await server.command("acl", "setuser", "kyros", "on", `>${PASSWORD}`, ...rights);
    const { shared, events } = await open(t, `redis://kyros:${ENCODED}@127.0.0.1:${server.port}`);
    assert.deepEqual(events, []);
    await eventually(() => assert.ok(shared.bus.connected));
    assert.equal(shared.breaker.state(), "closed");
    assert.equal(shared.breaker.counts().openings, 0);

    const url = `redis://kyros:${ENCODED}@127.0.0.1:${server.port}`;
    const { shared: challenges, close } = await openRedisChallenges([url]);
    t.after(close);
    const { hash } = sampleChallenge(1);
    await challenges.open(sampleChallenge(1), SAMPLE_NOW_MS);
    assert.equal((await challenges.find(hash, SAMPLE_NOW_MS))?.tries, 0);
    assert.equal((await challenges.try(hash, SAMPLE_NOW_MS, 5))?.tries, 1);
    assert.equal((await challenges.consume(hash, SAMPLE_NOW_MS))?.hash, hash);
  });

  it("is degraded with a wrong password, and names the password nowhere", async (t) => {
    const server = await startRedis({ args: ["--requirepass", PASSWORD] });
    t.after(() => server.stop());
    const { events } = await open(t, `redis://:not-${ENCODED}@127.0.0.1:${server.port}`);
    assert.deepEqual(
      events.map(({ name }) => name),
      ["store.degraded"],
    );
    assert.match(events[0]!.reason!, /WRONGPASS/);
    assert.ok(!JSON.stringify(events).includes(PASSWORD));
    const right = await open(t, `redis://:${ENCODED}@127.0.0.1:${server.port}`);
    assert.deepEqual(right.events, []);
  });

  it("goes by TLS with a certificate that is trusted, and with no other", async (t) => {
    const { cert, key } = await certificate(t);
    const tlsPort = await freePort();
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
    const server = await startRedis({
      args: ["--tls-port", String(tlsPort), "--tls-auth-clients", "no", ...files],
    });
    t.after(() => server.stop());
    const url = `rediss://127.0.0.1:${tlsPort}`;
    const { events } = await open(t, url);
    assert.match(events[0]!.reason!, /self.signed certificate/);

    const program = `
      import { openRedisConnection } from "./src/stores/redis/connection.ts";
      const connection = openRedisConnection({ urls: [${JSON.stringify(url)}], deadlineMs: 1000 });
      for (let tries = 0; tries < 200; tries++) {
        const done = await connection.publish("x", "y").then(() => true, () => false);
        if (done) { console.log("published"); break; }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      connection.close();`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      cwd: join(import.meta.dirname, "../.."),
      env: { NODE_EXTRA_CA_CERTS: cert },
      timeout: 60_000,
    });
    assert.equal(stdout, "published\n");
  });
});
