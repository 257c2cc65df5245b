import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { rounds } from "../rounds.ts";
import { addUsers, PASSWORD } from "../service/add-user.ts";
import type { Line } from "../telemetry/exposition.ts";
import { readExposition, sampleOf } from "../telemetry/exposition.ts";
import type { Kyros, Served } from "./command.ts";
import { kyrosCommand } from "./command.ts";
import type { KeepAliveClient } from "./keep-alive-client.ts";
import { keepAliveClient } from "./keep-alive-client.ts";

const WORKERS = 3;
/** So many connections that none of three workers is without one, but once in 10^7 times. */
const CONNECTIONS = 40;
const REQUESTS = rounds(10_000, 4000);

describe("kyros serve --workers", () => {
  let kyros: Kyros;
  let served: Served;
  let clients: readonly KeepAliveClient[];

  before(async () => {
    kyros = await kyrosCommand();
    const env = { KYROS_RATE_LIMIT: "1000/366d", KYROS_LOGIN_RATE_LIMIT: "off" };
    served = await kyros.serve(env, ["--workers", String(WORKERS)]);
    const names = ["alice", "bob", "carol"].map((name) => ({ name }));
    await addUsers(kyros.databaseUrl, ...names, { name: "root", role: "admin" });
    clients = Array.from({ length: CONNECTIONS }, () => keepAliveClient(served.url));
  });
  after(async () => {
    for (const client of clients) client.close();
    served.signal("SIGKILL");
    await served.ended;
    await kyros.remove();
  });

  const login = async (client: KeepAliveClient, username: string) => {
    const reply = await client.post("/auth/login", { username, password: PASSWORD });
    assert.equal(reply.status, 200, reply.body);
    return { authorization: `Bearer ${(JSON.parse(reply.body) as { access_token: string }).access_token}` };
  };
  const statuses = async (headers: Record<string, string>) =>
    Promise.all(clients.map(async (client) => (await client.get("/protected", headers)).status));
  const all = (status: number) => clients.map(() => status);

  it("says once where all listen", () => {
    assert.match(served.plainLines[0]!, /^kyros listening on http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
    assert.equal(served.plainLines.filter((line) => line.startsWith("kyros listening")).length, 1);
  });

  it("has every worker listen on the one port", () => {
    assert.equal(listeners(served.pid), WORKERS);
  });

  it("takes a sign-in of one worker on all, and refuses on all what was ended on one", async () => {
    for (let round = 0; round < 5; round++) {
      const headers = await login(clients[round]!, "alice");
      assert.deepEqual(await statuses(headers), all(200));
      assert.equal((await clients[round + 5]!.post("/auth/logout", {}, headers)).status, 204);
      assert.deepEqual(await statuses(headers), all(401));
    }
  });

  it("takes a change of settings on every worker at the next request", async () => {
    const headers = await login(clients[0]!, "root");
    const policies = async () => {
      const replies = await Promise.all(clients.map((client) => client.get("/protected", headers)));
      return new Set(replies.map((reply) => reply.headers["ratelimit-policy"]));
    };
    const before = await policies();
    assert.equal(before.size, 1);
    const patch = (body: object) =>
      fetch(`${served.url}/admin/settings`, {
        method: "PATCH",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    assert.equal((await patch({ rate_limit: "900/1m" })).status, 200);
    assert.deepEqual(await policies(), new Set(['"default";q=900;w=60']));
    assert.equal((await patch({ rate_limit: null })).status, 200);
    assert.deepEqual(await policies(), before);
  });

  it("tells the metrics of all workers on each of them, to admins", async () => {
    const headers = await login(clients[0]!, "root");
    const scrape = async (client: KeepAliveClient) => {
      const reply = await client.get("/metrics", headers);
      assert.equal(reply.status, 200, reply.body);
      return readExposition(reply.body);
    };
    const counted = (lines: readonly Line[]) =>
      sampleOf(lines, "kyros_http_request_duration_seconds_count", { route: "/protected", method: "GET" });
    const before = counted(await scrape(clients[0]!)) ?? 0;
    await statuses(headers);
    for (const client of clients) {
      const lines = await scrape(client);
      assert.equal(counted(lines), before + CONNECTIONS);
      assert.equal(lines.filter(({ name }) => name === "process_start_time_seconds").length, 1);
      assert.equal(sampleOf(lines, "kyros_store_up", { store: "database" }), 1);
      const heaps = lines.filter(({ name }) => name === "nodejs_heap_size_used_bytes");
      assert.deepEqual(heaps.map(({ labels }) => labels["thread"]).sort(), ["1", "2", "3", "main"]);
    }
  });

  it("takes the commands' changes on every worker at the next request", async () => {
    const headers = await login(clients[0]!, "bob");
    assert.deepEqual(await statuses(headers), all(200));
    assert.equal((await kyros.run(["user", "disable", "bob"])).exitCode, 0);
    assert.deepEqual(await statuses(headers), all(401));
  });

  it(`admits exactly 1,000 of ${REQUESTS} requests at a limit of 1,000 over all workers`, async () => {
    const headers = await login(clients[0]!, "carol");
    const counts = new Map<number, number>();
    await Promise.all(
      clients.map(async (client) => {
        for (let n = 0; n < REQUESTS / CONNECTIONS; n++) {
          const { status } = await client.get("/protected", headers);
          counts.set(status, (counts.get(status) ?? 0) + 1);
        }
      }),
    );
    assert.deepEqual(Object.fromEntries(counts), { 200: 1000, 429: REQUESTS - 1000 });
  });

  it("drains on SIGTERM: what is under way is answered on kept connections, and the end is 0", async () => {
    const underWay = clients.slice(0, 6).map((client) => login(client, "carol"));
    // Once one is through, all are read: the others wait for their turn to be hashed.
    await Promise.race(underWay);
    const ended = served.terminate();
    assert.equal((await Promise.all(underWay)).length, 6);
    const { exitCode, stdout, stderr } = await ended;
    assert.equal(exitCode, 0, stderr);
    assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
  });
});

describe("kyros serve --workers, given wrongly", () => {
  let kyros: Kyros;
  before(async () => {
    kyros = await kyrosCommand();
  });
  after(() => kyros.remove());

  it("refuses what is no number of threads in one line", async () => {
    const counts = ["-1", "1.5", "two", "257", "01", ""];
    const all = await kyros.runAll(counts.map((count) => ["serve", `--workers=${count}`]));
    for (const [at, { exitCode, stdout, stderr }] of all.entries()) {
      assert.equal(exitCode, 2, counts[at]);
      assert.equal(stdout, "");
      assert.match(stderr, /^kyros: --workers: give a whole number from 1 to 256, or auto\n$/);
    }
  });

  it("refuses a database that cannot be shared", async () => {
    const env = { DATABASE_URL: "sqlite::memory:", KYROS_ALLOW_INSECURE: "database-in-memory" };
    const { exitCode, stderr } = await kyros.run(["serve", "--workers", "2"], { env });
    assert.equal(exitCode, 2);
    assert.match(stderr, /^kyros: --workers: a database in memory cannot be shared; .*\n$/);
  });

  it("refuses a port that another service has, though that shares its own", async () => {
    const first = await kyros.serve({}, ["--workers", "2"]);
    const { exitCode, stderr } = await kyros.run(["serve", "--workers", "2"], {
      env: { KYROS_PORT: new URL(first.url).port },
    });
    assert.equal(exitCode, 1);
    assert.match(stderr, /^kyros: listen EADDRINUSE[^\n]*\n$/);
    assert.equal((await first.terminate()).exitCode, 0);
  });
});

/** How many sockets of a process listen on TCP over IPv4, as Linux tells. */
function listeners(pid: number): number {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return "closed meanwhile";
      }
    }),
  );
  return readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && own.has(`socket:[${fields[9]}]`)).length;
}
