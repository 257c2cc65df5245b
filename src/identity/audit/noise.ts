import type { AuditEvent, EventName } from "../../kernel/audit-event.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { limitKeyOfAddress } from "../../net/address.ts";

/**
 * Events that anybody can cause as often as they like, and how many of each a source has in full per window before the
 * rest is only counted. A failed sign-in names the account that was tried: a few are worth reading one by one.
 */
const IN_FULL: Partial<Readonly<Record<EventName, number>>> = {
  "rate_limit.exceeded": 1,
  "csp.violation": 1,
  "auth.token.rejected": 1,
  "access.denied": 1,
  "csrf.rejected": 1,
  "https.rejected": 1,
  "api_key.rejected": 1,
  "auth.login.failed": 3,
  "auth.mfa.failed": 3,
};

export const NOISE_WINDOW_MS = 60_000;
/** Sources that are told apart at a time; those beyond share one window for each event. */
const MOST_SOURCES = 1024;

/** What came of one source and event in a window, beyond what was written in full. */
export interface NoiseSummary {
  readonly event: AuditEvent;
  readonly count: number;
}

export interface NoiseFilter {
  /**
   * What to write of an event: `all` for one that is no noise, `noise` for one of the first of its source, `counted`
   * for one that only counts.
   */
  judge(event: AuditEvent): "all" | "noise" | "counted";
  /** Counts an event that was to be written in full and could not be. */
  count(event: AuditEvent): void;
  /** What windows that are over by `nowMs` have counted; they are forgotten. */
  takeOver(nowMs: number): readonly NoiseSummary[];
}

interface Window {
  readonly startMs: number;
  inFull: number;
  counted: number;
  last: AuditEvent;
}

/**
 * Tells noise from what counts, so that an attacker can fill neither the disk nor the memory: per actor or address
 * block, event and minute the first are kept in full and the rest as a number.
 */
export function createNoiseFilter(): NoiseFilter {
  const windows = new Map<string, Window>();
  const over: NoiseSummary[] = [];

  function close(key: string, window: Window): void {
    windows.delete(key);
    if (window.counted > 0) over.push({ event: summaryOf(key, window), count: window.counted });
  }

  function windowOf(event: AuditEvent): Window {
    let key = `${event.name} ${sourceOf(event)}`;
    if (!windows.has(key) && windows.size >= MOST_SOURCES) key = `${event.name} ${OTHERS}`;
    const open = windows.get(key);
    if (open !== undefined && event.atMs - open.startMs < NOISE_WINDOW_MS) return open;
    if (open !== undefined) close(key, open);
    const fresh: Window = { startMs: event.atMs, inFull: 0, counted: 0, last: event };
    windows.set(key, fresh);
    return fresh;
  }

  return {
    judge(event) {
      const most = IN_FULL[event.name];
      if (most === undefined) return "all";
      const window = windowOf(event);
      window.last = event;
      if (window.inFull < most) {
        window.inFull += 1;
        return "noise";
      }
      window.counted += 1;
      return "counted";
    },
    count(event) {
      windowOf(event).counted += 1;
    },
    takeOver(nowMs) {
      for (const [key, window] of windows) {
        if (nowMs - window.startMs >= NOISE_WINDOW_MS) close(key, window);
      }
      return over.splice(0);
    },
  };
}

const OTHERS = "others";

function sourceOf({ actor, address }: AuditEvent): string {
  if (actor.kind === "user" || actor.kind === "api_key") return `${actor.kind}:${actor.id}`;
  return `address:${limitKeyOfAddress(address ?? "")}`;
}

/** The last of them without what was that one's alone; whose they were where they had one source. */
function summaryOf(key: string, { last, startMs }: Window): AuditEvent {
  const { name, outcome, actor, address, reason, atMs } = last;
  const details = { since: toRfc3339(startMs) };
  if (key.endsWith(` ${OTHERS}`)) {
    return { name, outcome, atMs, actor: { kind: "anonymous" }, details: { ...details, sources: OTHERS } };
  }
  const isPerson = actor.kind === "user" || actor.kind === "api_key";
  return {
    name,
    outcome,
    atMs,
    actor,
    // A block of addresses counts as one source; the last of it stands for it.
    ...(address !== undefined && !isPerson && { address }),
    ...(reason !== undefined && { reason }),
    details,
  };
}
