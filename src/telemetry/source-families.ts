import type { MetricFamily, Sample } from "./metric-family.ts";
import { samplesOf } from "./metric-family.ts";

export const BREAKER_STATES = ["closed", "half-open", "open"] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/**
 * What parts of the service tell of themselves when asked, at each scrape. A part that this service does not have is
 * left out, and so is its metric. The keys of tables become labels: a fixed, short list each.
 */
export interface MetricSources {
  /** Password hashes waiting and being computed now, and how many were refused so far. */
  readonly hashing?: () => { readonly waiting: number; readonly running: number; readonly refused: number };
  /** Clients in the table of limits. */
  readonly limiterClients?: () => number;
  /** Dependencies by name; each function rejects where the dependency does not answer. */
  readonly stores?: Readonly<Record<string, () => Promise<void>>>;
  /** Circuit breakers by the name of the dependency behind them. */
  readonly breakers?: () => Readonly<Record<string, BreakerState>>;
  /** Age (s) of the oldest event that the audit trail has taken and not yet made durable; 0 where there is none. */
  readonly auditLagSeconds?: () => number;
  /** Reports of policy violations so far: told as events, repeated ones only counted, and dropped as too many. */
  readonly cspReports?: () => { readonly told: number; readonly repeated: number; readonly dropped: number };
}

/** A dependency that has not answered by then counts as down: a scrape must not hang with it (ms). */
const HEALTH_DEADLINE_MS = 2000;

export function sourceFamilies(sources: MetricSources): readonly MetricFamily[] {
  const { hashing, limiterClients, stores, breakers, auditLagSeconds, cspReports } = sources;
  const families: (MetricFamily | undefined)[] = [
    hashing && {
      name: "kyros_hashing_jobs",
      help: "Password hashes waiting for a core and being computed.",
      type: "gauge",
      read: () => samplesOf("state", { waiting: hashing().waiting, running: hashing().running }),
    },
    hashing && {
      name: "kyros_hashing_refused_total",
      help: "Password hashes refused because too many were waiting.",
      type: "counter",
      read: () => [{ value: hashing().refused }],
    },
    limiterClients && {
      name: "kyros_limiter_clients",
      help: "Clients in the table of limits of this process, idle ones among them.",
      type: "gauge",
      read: () => [{ value: limiterClients() }],
    },
    stores && {
      name: "kyros_store_up",
      help: "Whether a store answers: 1 or 0.",
      type: "gauge",
      read: () => Promise.all(Object.entries(stores).map(([store, ask]) => storeSample(store, ask))),
    },
    breakers && {
      name: "kyros_breaker_state",
      help: "The state of each circuit breaker: 1 for the one it is in, 0 for the others.",
      type: "gauge",
      across: "thread",
      read: () =>
        Object.entries(breakers()).flatMap(([dependency, now]) =>
          BREAKER_STATES.map((state) => ({ labels: { dependency, state }, value: state === now ? 1 : 0 })),
        ),
    },
    auditLagSeconds && {
      name: "kyros_audit_lag_seconds",
      help: "Age of the oldest event that is not durable in the audit trail yet.",
      type: "gauge",
      across: "greatest",
      read: () => [{ value: auditLagSeconds() }],
    },
    cspReports && {
      name: "kyros_csp_reports_total",
      help: "Reported violations of the Content-Security-Policy: told as events, repeated, or dropped as too many.",
      type: "counter",
      read: () => samplesOf("outcome", { ...cspReports() }),
    },
  ];
  return families.filter((family) => family !== undefined);
}

async function storeSample(store: string, ask: () => Promise<void>): Promise<Sample> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(resolve, HEALTH_DEADLINE_MS, 0);
  });
  const answer = ask().then(
    () => 1,
    () => 0,
  );
  const value = await Promise.race([answer, late]);
  clearTimeout(timer);
  return { labels: { store }, value };
}
