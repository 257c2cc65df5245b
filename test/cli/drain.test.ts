import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FOR_THE_RECORD } from "../rounds.ts";
import { addUsers, PASSWORD } from "../service/add-user.ts";
import { startBalancer } from "./balancer.ts";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";
import { keepAliveClient } from "./keep-alive-client.ts";

const ALICE = { username: "alice", password: PASSWORD };
const UNLIMITED = { KYROS_RATE_LIMIT: "off", KYROS_LOGIN_RATE_LIMIT: "off" };

let kyros: Kyros;
before(async () => {
  kyros = await kyrosCommand();
  await addUsers(kyros.databaseUrl, { name: ALICE.username });
});
after(() => kyros.remove());

for (const args of [[], ["--workers", "2"]]) {
  describe(["SIGTERM to kyros serve", ...args].join(" "), () => {
    it("turns /readyz red, serves on connections that then end, and exits 0 after the grace", async () => {
      const served = await kyros.serve({ ...UNLIMITED, KYROS_DRAIN_GRACE: "4s" }, args);
      const client = keepAliveClient(served.url);
      assert.equal((await client.get("/readyz")).headers["connection"], "keep-alive");
      served.signal("SIGTERM");
      let reply = await client.get("/readyz");
      for (; reply.status === 200; reply = await client.get("/readyz")) await delay(10);
      assert.equal(reply.status, 503);
      assert.equal((JSON.parse(reply.body) as { status: string }).status, "not_ready");
      assert.equal(reply.headers["connection"], "close");
      const login = await client.post("/auth/login", ALICE);
      assert.equal(login.status, 200);
      assert.equal(login.headers["connection"], "close");
      client.close();
      assert.equal((await served.ended).exitCode, 0);
    });

    it("answers what had begun, and waits neither for kept connections nor for the rest of a request", async () => {
      const served = await kyros.serve(UNLIMITED, args);
      const idle = keepAliveClient(served.url);
      assert.equal((await idle.get("/healthz")).status, 200);
      const begun = [
        "",
        "GET /healthz HT",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n{",
      ];
      await Promise.all(begun.map((text) => openWith(served.url, text)));
      const clients = Array.from({ length: 4 }, () => keepAliveClient(served.url));
      const logins = clients.map((client) => client.post("/auth/login", ALICE));
      await Promise.race(logins);
      const ended = served.terminate();
      assert.deepEqual(
        (await Promise.all(logins)).map(({ status }) => status),
        [200, 200, 200, 200],
      );
      assert.equal((await ended).exitCode, 0);
      for (const client of [idle, ...clients]) client.close();
    });

    // Who is signalled is the same process however many threads it has.
    if (args.length > 0 && !FOR_THE_RECORD) return;

    it("ends at once at a second signal", async () => {
      const served = await kyros.serve({ ...UNLIMITED, KYROS_DRAIN_GRACE: "10m" }, args);
      served.signal("SIGTERM");
      while ((await fetch(`${served.url}/readyz`)).status === 200) await delay(10);
      served.signal("SIGTERM");
      assert.equal((await served.ended).exitCode, 1);
    });

    it("does not let a person wait who presses Ctrl-C", async () => {
      const served = await kyros.serve({ ...UNLIMITED, KYROS_DRAIN_GRACE: "10m" }, args);
      served.signal("SIGINT");
      assert.equal((await served.ended).exitCode, 0);
    });
  });
}

/** A connection on which this much of a request has been sent: browsers open some of them ahead of need. */
async function openWith(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
}

describe("two instances behind a balancer that follows /readyz", () => {
  it("are replaced one after the other under load without a lost request or session", async () => {
    const serve = () => kyros.serve({ ...UNLIMITED, KYROS_DRAIN_GRACE: "3s" });
    const balancer = await startBalancer();
    const allReady = async () => {
      while (balancer.ready() < 2) await delay(20);
    };
    const old = [await serve(), await serve()];
    for (const { url } of old) balancer.add(url);
    await allReady();

    const clients = Array.from({ length: 8 }, () => keepAliveClient(balancer.url));
    const login = await clients[0]!.post("/auth/login", ALICE);
    const { access_token } = JSON.parse(login.body) as { access_token: string };
    const statuses = new Map<number, number>();
    let done = false;
    const load = clients.map(async (client) => {
      while (!done) {
        const { status } = await client.get("/protected", { authorization: `Bearer ${access_token}` });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await delay(5);
      }
    });

    const fresh = [];
    for (const one of old) {
      assert.equal((await one.terminate()).exitCode, 0);
      const next = await serve();
      fresh.push(next);
      balancer.add(next.url);
      await allReady();
    }
    done = true;
    await Promise.all(load);
    assert.deepEqual([...statuses.keys()], [200]);
    assert.ok(statuses.get(200)! > 100);
    for (const client of clients) client.close();
    balancer.close();
    for (const one of fresh) one.signal("SIGINT");
    for (const one of fresh) assert.equal((await one.ended).exitCode, 0);
  });
});
