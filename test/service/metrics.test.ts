import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { startService } from "../../src/service/start.ts";
import type { Line } from "../telemetry/exposition.ts";
import { readExposition, sampleOf } from "../telemetry/exposition.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

describe("GET /metrics on the main port", () => {
  let service: TestService;
  let admin: { authorization: string };
  before(async () => {
    service = await runService();
    await service.createUser("root", "admin");
    await service.createUser("alice");
    admin = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const status = async (headers: Record<string, string>) => {
    const response = await fetch(`${service.url}/metrics`, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  async function keyOf(owner: { authorization: string }, scopes: readonly string[]) {
    const { body } = await ask(service, "POST", "/auth/api-keys", owner, { name: "scraper", scopes });
    return { "x-api-key": body.key as string };
  }

  it("is an admin's alone", async () => {
    const alice = bearer((await service.login("alice")).access_token);
    assert.equal(await status({}), 401);
    assert.equal(await status(alice), 403);
    assert.equal(await status(await keyOf(alice, ["metrics:read"])), 403);
    assert.equal(await status(admin), 200);
  });

  it("is for a key of an admin's that has the scope, and for no other", async () => {
    assert.equal(await status(await keyOf(admin, ["metrics:read"])), 200);
    assert.equal(await status(await keyOf(admin, ["jobs:read"])), 403);
  });

  it("is Prometheus text that no cache keeps", async () => {
    const response = await fetch(`${service.url}/metrics`, { headers: admin });
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.ok(readExposition(await response.text()).length > 50);
  });
});

describe("metrics on a port of their own", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_METRICS_PORT: "0", KYROS_LOGIN_RATE_LIMIT: "2/1h" });
    await service.createUser("root", "admin");
    await service.createUser("alice");
  });
  after(() => service.stop());

  async function scrape(): Promise<{ readonly text: string; readonly lines: readonly Line[] }> {
    const response = await fetch(service.metricsUrl!);
    assert.equal(response.status, 200);
    const text = await response.text();
    return { text, lines: readExposition(text) };
  }

  it("are there for whoever reaches that port, and nowhere else: not even for admins", async () => {
    const admin = bearer((await service.login("root")).access_token);
    assert.notEqual(new URL(service.metricsUrl!).port, new URL(service.url).port);
    assert.equal((await fetch(service.metricsUrl!)).status, 200);
    assert.equal((await fetch(`${service.url}/metrics`, { headers: admin })).status, 404);
  });

  it("are all there is on it", async () => {
    const { origin } = new URL(service.metricsUrl!);
    const answers: readonly [string, string, number][] = [
      ["GET", "/", 404],
      ["GET", "/healthz", 404],
      ["GET", "/protected", 404],
      ["GET", "/metrics/", 404],
      ["GET", "/Metrics", 404],
      ["POST", "/metrics", 405],
      ["DELETE", "/metrics", 405],
      ["HEAD", "/metrics", 200],
      ["GET", "/metrics?name[]=up", 200],
    ];
    for (const [method, path, expected] of answers) {
      const response = await fetch(origin + path, { method });
      assert.equal(response.status, expected, `${method} ${path}`);
      assert.equal(response.headers.get("server"), null);
    }
  });

  it("count requests by the pattern of their route, and never hold what was asked for", async () => {
    const id = "01890000-dead-7000-8000-00000000beef";
    const { access_token } = await service.login("root");
    await ask(service, "GET", `/admin/users/${id}`, bearer(access_token));
    await ask(service, "GET", "/no/such/canary-path?canary-query=1");
    await ask(service, "GET", "/protected", {
      authorization: "Bearer canary-token",
      "user-agent": "canary-agent",
    });
    await fetch(`${service.url}/protected`, { method: "PROPFIND" });
    const { text, lines } = await scrape();
    assert.doesNotMatch(text, /canary|deadbeef|beef|alice|root|127\.0\.0\.1/);
    const count = (labels: Record<string, string>) =>
      sampleOf(lines, "kyros_http_request_duration_seconds_count", labels);
    assert.equal(count({ route: "/admin/users/:id", method: "GET", status: "4xx" }), 1);
    assert.ok(count({ route: "(none)", method: "GET", status: "4xx" })! >= 1);
    assert.equal(count({ route: "(none)", method: "_OTHER", status: "4xx" }), 1);
    const routes = new Set(lines.map(({ labels }) => labels["route"]).filter((route) => route !== undefined));
    const { paths } = (await ask(service, "GET", "/openapi.json")).body as { paths: Record<string, unknown> };
    const known = Object.keys(paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ":$1"));
    for (const route of routes) assert.ok(route === "(none)" || known.includes(route), route);
  });

  it("count what each guard decided: what one refused, the next has not seen", async () => {
    const decided = async (guard: string, outcome: string) =>
      sampleOf((await scrape()).lines, "kyros_guard_decisions_total", { guard, outcome })!;
    const before = { deny: await decided("require", "deny"), pass: await decided("authenticate", "pass") };
    await ask(service, "GET", "/protected");
    assert.equal(await decided("require", "deny"), before.deny + 1);
    assert.equal(await decided("authenticate", "pass"), before.pass + 1);

    const sites = { "sec-fetch-site": "cross-site" };
    const csrf = { deny: await decided("csrf", "deny"), pass: await decided("csrf", "pass") };
    const seen = await decided("require", "pass");
    await ask(service, "POST", "/auth/login", sites, { username: "a", password: "b" });
    assert.equal(await decided("csrf", "deny"), csrf.deny + 1);
    assert.equal(await decided("csrf", "pass"), csrf.pass);
    assert.equal(await decided("require", "pass"), seen);
  });

  it("count sign-ins by what became of them, and events by name", async () => {
    const logins = async (outcome: string) =>
      sampleOf((await scrape()).lines, "kyros_logins_total", { outcome })!;
    const before = { succeeded: await logins("succeeded"), failed: await logins("failed") };
    await service.login("alice");
    const wrong = { username: "alice", password: "wrong password" };
    await ask(service, "POST", "/auth/login", {}, wrong);
    await ask(service, "POST", "/auth/login", {}, wrong);
    assert.equal(await logins("succeeded"), before.succeeded + 1);
    assert.equal(await logins("failed"), before.failed + 1);
    assert.equal(await logins("limited"), 1);
    const { lines } = await scrape();
    assert.equal(sampleOf(lines, "kyros_security_events_total", { event: "rate_limit.exceeded" }), 1);
    assert.equal(sampleOf(lines, "kyros_security_events_total", { event: "user.disabled" }), 0);
  });

  it("tell of the parts: hashing, limits, stores, the process", async () => {
    const { lines } = await scrape();
    assert.equal(sampleOf(lines, "kyros_hashing_jobs", { state: "waiting" }), 0);
    assert.equal(sampleOf(lines, "kyros_hashing_refused_total"), 0);
    assert.ok(sampleOf(lines, "kyros_limiter_clients")! >= 1);
    assert.equal(sampleOf(lines, "kyros_store_up", { store: "database" }), 1);
    assert.ok(sampleOf(lines, "nodejs_heap_size_used_bytes")! > 1e6);
    assert.ok(sampleOf(lines, "nodejs_eventloop_lag_p99_seconds")! >= 0);
    const started = sampleOf(lines, "process_start_time_seconds")!;
    assert.ok(Math.abs(started - performance.timeOrigin / 1000) < 5);
  });
});

describe("a metrics port that is taken", () => {
  it("stops the start, and leaves nothing listening", async (context) => {
    const holder = createServer().listen(0, "127.0.0.1");
    context.after(() => holder.close());
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as AddressInfo;
    const settings = loadSettings({
      KYROS_PORT: "0",
      KYROS_METRICS_PORT: String(port),
      DATABASE_URL: "sqlite::memory:",
      KYROS_SECRET: generateSecret(systemRandom),
    });
    const log = { events: { record: () => undefined }, failure: () => undefined, info: () => undefined };
    await assert.rejects(startService(settings, log), { code: "EADDRINUSE" });
  });
});
