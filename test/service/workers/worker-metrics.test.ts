import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadSettings } from "../../../src/config/load.ts";
import { Outage } from "../../../src/kernel/failure.ts";
import { createRemoteMetrics } from "../../../src/service/workers/remote-metrics.ts";
import { startWorkers } from "../../../src/service/workers/start-workers.ts";
import { createWorkerMetrics } from "../../../src/service/workers/worker-metrics.ts";
import type { FamilyReading } from "../../../src/telemetry/metric-family.ts";
import { readExposition, sampleOf } from "../../telemetry/exposition.ts";

const counter = (value: number): FamilyReading => ({
  name: "told_total",
  help: "h",
  type: "counter",
  samples: [{ labels: { event: "a" }, value }],
});
const gauge = (value: number): FamilyReading => ({
  name: "heap",
  help: "h",
  type: "gauge",
  across: "thread",
  samples: [{ value }],
});

describe("metrics of workers", () => {
  it("are a sum that never goes back, whatever becomes of a worker", async () => {
    let answers: Record<number, Promise<readonly FamilyReading[]>> = {};
    const handle = (number: number) => ({ readMetrics: () => answers[number]! });
    const workers = new Map([1, 2].map((number) => [number, handle(number)]));
    const metrics = createWorkerMetrics({ read: async () => [counter(0), gauge(5)] }, workers);
    const scrape = async () => readExposition(await metrics.text());
    const told = async () => sampleOf(await scrape(), "told_total", { event: "a" });

    answers = { 1: Promise.resolve([counter(3), gauge(6)]), 2: Promise.resolve([counter(4), gauge(7)]) };
    const lines = await scrape();
    assert.equal(sampleOf(lines, "told_total"), 7);
    assert.deepEqual(
      lines.filter(({ name }) => name === "heap").map(({ labels, value }) => [labels["thread"], value]),
      [
        ["main", 5],
        ["1", 6],
        ["2", 7],
      ],
    );

    // One hangs: within a second the rest is told, and of that one what it had counted.
    answers = { 1: Promise.resolve([counter(5), gauge(6)]), 2: new Promise(() => undefined) };
    const late = await scrape();
    assert.equal(sampleOf(late, "told_total"), 9);
    assert.equal(sampleOf(late, "heap", { thread: "2" }), undefined);

    // It ends, and another one takes its place.
    workers.delete(2);
    metrics.ended(2);
    assert.equal(await told(), 9);
    workers.set(2, handle(2));
    answers = { 1: Promise.resolve([counter(5)]), 2: Promise.resolve([counter(1)]) };
    assert.equal(await told(), 10);
    workers.delete(2);
    metrics.ended(2);
    assert.equal(await told(), 10);
  });

  it("count a worker once that ends while it is being asked", async () => {
    const answer = Promise.withResolvers<readonly FamilyReading[]>();
    const workers = new Map([
      [1, { readMetrics: async () => [counter(2)] }],
      [2, { readMetrics: () => answer.promise }],
    ]);
    const metrics = createWorkerMetrics({ read: async () => [] }, workers);
    const text = metrics.text();
    await new Promise(setImmediate);
    workers.delete(1);
    metrics.ended(1);
    answer.resolve([counter(1)]);
    assert.equal(sampleOf(readExposition(await text), "told_total"), 3);
  });

  it("are asked for by all readers of a worker at once, and refused where they cannot be made", async () => {
    const sent: unknown[] = [];
    const metrics = createRemoteMetrics((message) => void sent.push(message));
    const texts = [metrics.text(), metrics.text()];
    assert.deepEqual(sent, [{ kind: "ask_metrics" }]);
    metrics.settle("x 1");
    assert.deepEqual(await Promise.all(texts), ["x 1", "x 1"]);
    const failing = metrics.text();
    metrics.settle(undefined);
    await assert.rejects(failing, Outage);
  });

  it("have their own port once, which the workers do not open", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "kyros-worker-metrics-"));
    const settings = loadSettings({
      KYROS_PORT: "0",
      KYROS_METRICS_PORT: "0",
      KYROS_DATA_DIR: dataDir,
      KYROS_BCRYPT_COST: "10",
      KYROS_LOG_LEVEL: "fatal",
    });
    const log = {
      events: { record: () => undefined },
      failure: (error: unknown) => assert.fail(String(error)),
      info: () => undefined,
    };
    const service = await startWorkers(settings, log, 2);
    try {
      for (let n = 0; n < 20; n += 1) {
        await fetch(`${service.url}/protected`, { headers: { connection: "close" } });
      }
      const lines = readExposition(await (await fetch(service.metricsUrl!)).text());
      const asked = { route: "/protected", status: "4xx" };
      assert.equal(sampleOf(lines, "kyros_http_request_duration_seconds_count", asked), 20);
      assert.equal(sampleOf(lines, "kyros_hashing_jobs", { state: "waiting" }), 0);
      assert.equal((await fetch(`${service.url}/metrics`)).status, 404);
    } finally {
      await service.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
    await assert.rejects(fetch(service.metricsUrl!), TypeError);
  });
});
