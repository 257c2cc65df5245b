import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EVENT_NAMES } from "../../src/kernel/audit-event.ts";
import { problem } from "../../src/kernel/problem.ts";
import type { Metrics } from "../../src/telemetry/metrics.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { manualClock } from "../../src/testing/index.ts";
import { exchangeOf } from "../guards/http-request.ts";
import type { Line } from "./exposition.ts";
import { readExposition } from "./exposition.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/monitoring");
const read = (name: string) => readFileSync(join(EXAMPLES, name), "utf8");

/** Labels that Prometheus adds to everything it scrapes. */
const SCRAPED = ["job", "instance"];
const METRIC = /\b(?:kyros|nodejs|process)_[a-z0-9_]+/g;

describe("the examples of monitoring", () => {
  let metrics: Metrics;
  let lines: readonly Line[];
  before(async () => {
    const clock = manualClock(1_000_000);
    metrics = createMetrics({ clock, steadyClock: clock });
    metrics.addSources({
      hashing: () => ({ waiting: 0, running: 0, refused: 0 }),
      limiterClients: () => 0,
      stores: { database: async () => undefined },
      breakers: () => ({ redis: "closed" }),
      auditLagSeconds: () => 0,
      cspReports: () => ({ told: 0, repeated: 0, dropped: 0 }),
    });
    const { observer } = metrics;
    observer.attached(["require"]);
    observer.decided(exchangeOf(), 0, { kind: "deny", problem: problem("unauthenticated", "no") });
    for (const status of [200, 302, 401, 503]) observer.answered(exchangeOf(), status);
    lines = readExposition(await metrics.text());
  });
  after(() => metrics.stop());

  /** The queries of both files, in the language of Prometheus. */
  function queries(): readonly string[] {
    const panels = JSON.parse(read("dashboard.json")).panels as { targets?: { expr: string }[] }[];
    const variables = JSON.parse(read("dashboard.json")).templating.list as {
      query: string | { query: string };
    }[];
    const rules = read("alerts.yml").matchAll(/^ +expr: (?:>-\n((?: {10}.*\n)+)|(.+)\n)/gm);
    return [
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...variables.map(({ query }) => (typeof query === "string" ? query : query.query)),
      ...[...rules].map((match) => match[1] ?? match[2]!),
    ];
  }

  it("ask for metrics that exist, and for all of ours", () => {
    const known = new Set(lines.map(({ name }) => name));
    const asked = new Set(queries().flatMap((query) => query.match(METRIC) ?? []));
    assert.deepEqual(
      [...asked].filter((name) => !known.has(name)),
      [],
    );
    const ours = [...known].filter((name) => /^kyros_/.test(name) && !/_(bucket|sum)$/.test(name));
    assert.deepEqual(
      ours.filter((name) => !asked.has(name)),
      [],
    );
    assert.ok(queries().length > 25);
  });

  it("select by labels that those metrics have, and by values that those labels take", () => {
    for (const query of queries()) {
      for (const [, name, selectors] of query.matchAll(/\b([a-z_0-9]+)\{([^}]*)\}/g)) {
        const mine = lines.filter((line) => line.name === name);
        for (const [, label, operator, pattern] of selectors!.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)) {
          if (SCRAPED.includes(label!)) continue;
          const values = new Set(mine.map(({ labels }) => labels[label!]));
          assert.ok(!values.has(undefined), `${label} of ${name}`);
          for (const value of operator!.endsWith("~") ? pattern!.split("|") : [pattern!]) {
            assert.ok(values.has(value), `${label}="${value}" of ${name}`);
          }
        }
      }
    }
  });

  it("are documented, as is every metric, by name and nothing else", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
    const documented = [...page.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map((match) => match[1]!);
    const families = new Set(lines.map(({ name }) => name.replace(/_(bucket|sum|count)$/, "")));
    assert.deepEqual(documented.sort(), [...families].sort());
  });

  it("tell of every event there is", () => {
    const told = lines
      .filter(({ name }) => name === "kyros_security_events_total")
      .map(({ labels }) => labels["event"]);
    assert.deepEqual(told.sort(), [...EVENT_NAMES].sort());
  });
});
