import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, get } from "node:http";
import { describe, it } from "node:test";
import { PASSWORD, runService } from "./running-service.ts";

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly code: string | undefined;
}

function hello(url: string, agent: Agent, token: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    get(`${url}/protected`, { agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const { code } = JSON.parse(text) as { code?: string };
        resolve({ status: response.statusCode!, headers: response.headers, code });
      });
      response.on("error", reject);
    }).on("error", reject);
  });
}

describe("the default limit", () => {
  it("admits exactly 100 of a user's 1,000 requests at once, and leaves another user alone", async (t) => {
    const service = await runService({ KYROS_RATE_LIMIT: "100/15m" });
    t.after(() => service.stop());
    await service.createUser("alice");
    await service.createUser("bob");
    const { access_token: alice } = await service.login("alice");
    const { access_token: bob } = await service.login("bob");
    const agents = Array.from({ length: 10 }, () => new Agent({ keepAlive: true, maxSockets: 10 }));
    t.after(() => {
      for (const agent of agents) agent.destroy();
    });

    const storm = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => hello(service.url, agents[at % 10]!, alice)));
    const answers = [...(await storm(500)), ...(await storm(500))];
    // Whoever shares the address with her is not refused for what she did.
    const ofBob = await Promise.all(agents.slice(0, 5).map((agent) => hello(service.url, agent, bob)));

    const admitted = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(admitted.length, 100);
    assert.equal(refused.length, 900);

    assert.deepEqual(
      admitted.map(({ headers }) => Number(headers["x-ratelimit-remaining"])).sort((a, b) => b - a),
      Array.from({ length: 100 }, (_, at) => 99 - at),
    );
    for (const { headers } of admitted) {
      assert.equal(headers["ratelimit-policy"], '"default";q=100;w=900');
      assert.equal(headers["x-ratelimit-limit"], "100");
      const [remaining, reset] = [headers["x-ratelimit-remaining"], headers["x-ratelimit-reset"]];
      assert.equal(headers["ratelimit"], `"default";r=${remaining};t=${reset}`);
      assert.equal(headers["retry-after"], undefined);
    }
    for (const { headers, code } of refused) {
      assert.equal(code, "rate_limited");
      assert.match(headers["retry-after"]!, /^[1-9][0-9]*$/);
      assert.ok(Number(headers["retry-after"]) <= 900);
      assert.equal(headers["content-type"], "application/problem+json; charset=utf-8");
      assert.equal(headers["x-ratelimit-remaining"], "0");
      assert.ok(headers["content-security-policy"]);
      assert.ok(headers["x-request-id"]);
    }
    assert.deepEqual(
      ofBob.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    assert.deepEqual(
      ofBob.map(({ headers }) => Number(headers["x-ratelimit-remaining"])).sort((a, b) => b - a),
      [99, 98, 97, 96, 95],
    );
    assert.equal(service.failures.length, 0);
  });

  it("counts whoever shows no valid credential by address, and never the probes", async (t) => {
    const service = await runService({ KYROS_RATE_LIMIT: "3/15m" });
    t.after(() => service.stop());
    const statuses: number[] = [];
    for (const token of ["a", "b", "c", "d"]) {
      const headers = { authorization: `Bearer ${token}`, "x-forwarded-for": `203.0.113.${statuses.length}` };
      statuses.push((await fetch(`${service.url}/protected`, { headers })).status);
    }
    assert.deepEqual(statuses, [401, 401, 401, 429]);
    const probe = await fetch(`${service.url}/healthz`);
    assert.equal(probe.status, 200);
    assert.equal(probe.headers.get("ratelimit"), null);
  });
});

describe("the login limit", () => {
  const SPELLINGS = ["alice", "ALICE", "alice ", "\uff41\uff4c\uff49\uff43\uff45", " Alice\t"];
  const login = (url: string, username: string, headers: Record<string, string> = {}, password = "wrong") =>
    fetch(`${url}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ username, password }),
    });

  it("R24: is one counter for all spellings of a name, whatever X-Forwarded-For says", async (t) => {
    const service = await runService({ KYROS_LOGIN_RATE_LIMIT: "5/1m" });
    t.after(() => service.stop());
    await service.createUser("alice");
    for (const [at, name] of SPELLINGS.entries()) {
      const forwarded = { "x-forwarded-for": `203.0.113.${at}`, forwarded: `for=203.0.113.${at}` };
      const response = await login(service.url, name, forwarded);
      assert.equal(response.status, 401, JSON.stringify(name));
      assert.equal(response.headers.get("ratelimit-policy"), '"login";q=5;w=60');
      assert.equal(response.headers.get("x-ratelimit-remaining"), String(4 - at));
    }
    // Also with the right password: who guesses does not learn that this one was it.
    for (const name of SPELLINGS) {
      const response = await login(service.url, name, { "x-forwarded-for": "198.51.100.7" }, PASSWORD);
      assert.equal(response.status, 429, JSON.stringify(name));
      assert.match(response.headers.get("retry-after")!, /^[1-9][0-9]*$/);
      assert.equal(((await response.json()) as { code: string }).code, "rate_limited");
    }
    assert.equal((await login(service.url, "bob")).status, 401);
    const session = await fetch(`${service.url}/auth/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "alice", password: PASSWORD }),
    });
    assert.equal(session.status, 429);
  });

  it("counts by the address that a trusted proxy vouches for", async (t) => {
    const service = await runService({
      KYROS_LOGIN_RATE_LIMIT: "1/1m",
      KYROS_TRUST_PROXY: "127.0.0.1/32",
    });
    t.after(() => service.stop());
    const from = async (addresses: string) =>
      (await login(service.url, "alice", { "x-forwarded-for": addresses })).status;
    assert.equal(await from("203.0.113.1"), 401);
    assert.equal(await from("203.0.113.1"), 429);
    assert.equal(await from("203.0.113.2"), 401);
    // What a client put in front of what the proxy wrote is no address of its own.
    assert.equal(await from("198.51.100.9, 203.0.113.2"), 429);
  });
});
