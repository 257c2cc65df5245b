import type { MetricFamily, Sample } from "./metric-family.ts";

/** Counts how long answers took, by method, pattern of the route, and class of the status. */
export interface RequestDurations {
  took(method: string, route: string | undefined, status: number, durationMs: number): void;
  readonly family: MetricFamily;
}

/** Upper bounds of the buckets (ms): what guards cost, what a database costs, what a password hash costs. */
const BOUNDS_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const;
const NAME = "kyros_http_request_duration_seconds";
/** Where no route matched. */
const NO_ROUTE = "(none)";
/** What a method is called that is none of these (OpenTelemetry semantic conventions, `http.request.method`). */
const OTHER_METHOD = "_OTHER";
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** Routes are few and fixed; should a host hand in paths for patterns, the rest of them count as one. */
const MOST_ROUTES = 500;
const REST_OF_ROUTES = "(other)";

interface Series {
  /** Answers by bucket, the last one for those above all bounds. */
  readonly counts: number[];
  sumMs: number;
}

/** By class of the status, 1xx to 5xx. */
type Classes = (Series | undefined)[];

export function createRequestDurations(): RequestDurations {
  const routes = new Map<string, Map<string, Classes>>();

  function classesOf(route: string, method: string): Classes {
    let methods = routes.get(route);
    if (methods === undefined) {
      if (routes.size >= MOST_ROUTES && route !== REST_OF_ROUTES) return classesOf(REST_OF_ROUTES, method);
      methods = new Map();
      routes.set(route, methods);
    }
    let classes = methods.get(method);
    if (classes === undefined) {
      if (!METHODS.has(method) && method !== OTHER_METHOD) return classesOf(route, OTHER_METHOD);
      classes = [];
      methods.set(method, classes);
    }
    return classes;
  }

  function read(): readonly Sample[] {
    const samples: Sample[] = [];
    for (const [route, methods] of routes) {
      for (const [method, classes] of methods) {
        classes.forEach((series, at) => {
          if (series !== undefined)
            samples.push(...samplesOfSeries({ method, route, status: `${at}xx` }, series));
        });
      }
    }
    return samples;
  }

  return {
    took(method, route, status, durationMs) {
      const classes = classesOf(route ?? NO_ROUTE, method);
      const statusClass = Math.floor(status / 100);
      classes[statusClass] ??= { counts: new Array(BOUNDS_MS.length + 1).fill(0), sumMs: 0 };
      const series = classes[statusClass];
      let bucket = 0;
      while (bucket < BOUNDS_MS.length && durationMs > BOUNDS_MS[bucket]!) bucket++;
      series.counts[bucket]!++;
      series.sumMs += durationMs;
    },
    family: {
      name: NAME,
      help: "From the arrival of a request's head to the head of its response, by pattern of the route.",
      type: "histogram",
      read,
    },
  };
}

/** As Prometheus has it: each bucket holds those below it too. */
function samplesOfSeries(labels: Readonly<Record<string, string>>, series: Series): readonly Sample[] {
  const samples: Sample[] = [];
  let below = 0;
  series.counts.forEach((count, at) => {
    below += count;
    const bound = BOUNDS_MS[at];
    const le = bound === undefined ? "+Inf" : String(bound / 1000);
    samples.push({ labels: { ...labels, le }, value: below, metricName: `${NAME}_bucket` });
  });
  samples.push({ labels, value: series.sumMs / 1000, metricName: `${NAME}_sum` });
  samples.push({ labels, value: below, metricName: `${NAME}_count` });
  return samples;
}
