import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/kernel/guard.ts";
import { deny, PASS } from "../../src/kernel/guard.ts";
import { problem } from "../../src/kernel/problem.ts";
import type { Metrics } from "../../src/telemetry/metrics.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { manualClock } from "../../src/testing/index.ts";
import { exchangeOf } from "../guards/http-request.ts";
import { readExposition, sampleOf } from "./exposition.ts";

const NAME = "kyros_http_request_duration_seconds";

function withMetrics(work: (metrics: Metrics, clock: ReturnType<typeof manualClock>) => Promise<void>) {
  return async () => {
    const clock = manualClock(1_000_000);
    const metrics = createMetrics({ clock, steadyClock: clock });
    try {
      await work(metrics, clock);
    } finally {
      metrics.stop();
    }
  };
}

const DENY = deny(problem("insufficient_role", "no"));
const ANSWER: Decision = { kind: "answer", answer: { status: 204, headers: [], body: "" } };

test(
  "a duration lies in its bucket and in every wider one, and a bound belongs to its bucket",
  withMetrics(async (metrics, clock) => {
    for (const tookMs of [0, 10, 11, 6000]) {
      const exchange = exchangeOf({ target: "/x" });
      exchange.route = "/x";
      metrics.observer.opened(exchange);
      clock.advance(tookMs);
      metrics.observer.answered(exchange, 200);
    }
    const lines = readExposition(await metrics.text());
    const bucket = (le: string) => sampleOf(lines, `${NAME}_bucket`, { route: "/x", status: "2xx", le });
    assert.deepEqual(["0.0005", "0.005", "0.01", "0.025", "5", "+Inf"].map(bucket), [1, 1, 2, 3, 3, 4]);
    assert.equal(sampleOf(lines, `${NAME}_count`), 4);
    assert.equal(sampleOf(lines, `${NAME}_sum`), 6.021);
  }),
);

test(
  "a host that hands in paths for patterns cannot make the labels endless, nor can methods",
  withMetrics(async (metrics) => {
    for (let n = 0; n < 2000; n++) {
      const exchange = exchangeOf({ method: `M${n}` });
      exchange.route = `/path/${n}`;
      metrics.observer.opened(exchange);
      metrics.observer.answered(exchange, 404);
    }
    const lines = readExposition(await metrics.text());
    const labels = (name: string) => new Set(lines.map((line) => line.labels[name]).filter(Boolean));
    assert.ok(labels("route").size <= 501);
    assert.deepEqual([...labels("method")], ["_OTHER"]);
    assert.equal(sampleOf(lines, `${NAME}_count`, { route: "(other)" }), 1500);
    assert.equal(sampleOf(lines, `${NAME}_count`), 2000);
  }),
);

test(
  "a guard has passed what a later one decided",
  withMetrics(async (metrics) => {
    const { observer } = metrics;
    const exchange = exchangeOf();
    observer.attached(["one", "two", "three"]);
    observer.decided(exchange, 3, PASS);
    observer.decided(exchange, 1, DENY);
    observer.decided(exchange, 0, ANSWER);
    observer.failed(exchange, 2, new Error("down"));
    const lines = readExposition(await metrics.text());
    const row = (guard: string) =>
      ["pass", "deny", "answer", "failure"].map((outcome) =>
        sampleOf(lines, "kyros_guard_decisions_total", { guard, outcome }),
      );
    assert.deepEqual(
      [row("one"), row("two"), row("three")],
      [
        [3, 0, 1, 0],
        [2, 1, 0, 0],
        [1, 0, 0, 1],
      ],
    );
  }),
);

test(
  "parts tell of themselves: a store that is down or silent is 0, a breaker is in one state, what is not there is not told",
  withMetrics(async (metrics) => {
    assert.doesNotMatch(await metrics.text(), /kyros_(store|breaker|audit|csp|hashing|limiter)/);
    metrics.addSources({
      stores: {
        database: async () => undefined,
        redis: () => Promise.reject(new Error("down")),
        silent: () => new Promise(() => undefined),
      },
      breakers: () => ({ redis: "open" }),
      auditLagSeconds: () => 1.5,
      cspReports: () => ({ told: 1, repeated: 2, dropped: 3 }),
      hashing: () => ({ waiting: 4, running: 5, refused: 6 }),
      limiterClients: () => 7,
    });
    const lines = readExposition(await metrics.text());
    const up = (store: string) => sampleOf(lines, "kyros_store_up", { store });
    assert.deepEqual([up("database"), up("redis"), up("silent")], [1, 0, 0]);
    const breaker = (state: string) => sampleOf(lines, "kyros_breaker_state", { dependency: "redis", state });
    assert.deepEqual([breaker("closed"), breaker("half-open"), breaker("open")], [0, 0, 1]);
    assert.equal(sampleOf(lines, "kyros_audit_lag_seconds"), 1.5);
    assert.equal(sampleOf(lines, "kyros_csp_reports_total", { outcome: "repeated" }), 2);
    assert.equal(sampleOf(lines, "kyros_hashing_jobs", { state: "running" }), 5);
    assert.equal(sampleOf(lines, "kyros_hashing_refused_total"), 6);
    assert.equal(sampleOf(lines, "kyros_limiter_clients"), 7);
  }),
);

test(
  "scrapes at the same time share one reading",
  withMetrics(async (metrics) => {
    let asked = 0;
    metrics.addSources({ stores: { database: async () => void asked++ } });
    const [one, other] = await Promise.all([metrics.text(), metrics.text()]);
    assert.equal(one, other);
    assert.equal(asked, 1);
    await metrics.text();
    assert.equal(asked, 2);
  }),
);
