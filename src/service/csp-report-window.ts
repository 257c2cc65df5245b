import { limitKeyOfAddress } from "../net/address.ts";
import type { CspReport } from "./csp-reports.ts";

/** What to do with a report: tell it as an event, with how often it came in the window before; or only count it. */
export type ReportVerdict = { readonly tell: true; readonly repeated: number } | { readonly tell: false };

export interface CspReportWindow {
  /** Judges one report, from a client's address. */
  take(report: CspReport, address: string, nowMs: number): ReportVerdict;
  readonly counts: { readonly told: number; readonly repeated: number; readonly dropped: number };
}

export interface CspReportWindowOptions {
  readonly windowMs?: number;
  /** Different violations told in one window, in all and from one address. */
  readonly most?: number;
  readonly mostPerAddress?: number;
}

interface Window {
  readonly index: number;
  /** How often each violation was reported again after it was told. */
  readonly repeats: Map<string, number>;
  readonly toldByAddress: Map<string, number>;
}

const WINDOW_MS = 10 * 60_000;
const MOST = 1000;
const MOST_PER_ADDRESS = 100;
const TOLD_NOT: ReportVerdict = Object.freeze({ tell: false });

/**
 * Keeps what browsers report from flooding the record: a faulty page makes every visitor's browser report the same, and
 * anybody can make reports up. The same violation (directive, document and the blocked URL's origin) is told once a
 * window and counted from then on; so are at most a thousand different ones, a hundred from one address, and the rest
 * is dropped and counted.
 */
export function createCspReportWindow(options: CspReportWindowOptions = {}): CspReportWindow {
  const { windowMs = WINDOW_MS, most = MOST, mostPerAddress = MOST_PER_ADDRESS } = options;
  const counts = { told: 0, repeated: 0, dropped: 0 };
  let current = emptyWindow(0);
  let previous = emptyWindow(-1);

  function moveTo(index: number): void {
    if (index === current.index) return;
    previous = index === current.index + 1 ? current : emptyWindow(index - 1);
    current = emptyWindow(index);
  }

  return {
    take(report, address, nowMs) {
      moveTo(Math.floor(nowMs / windowMs));
      const key = JSON.stringify([
        report.directive,
        report.document,
        originOf(report.blocked),
        report.disposition,
      ]);
      const repeats = current.repeats.get(key);
      if (repeats !== undefined) {
        counts.repeated++;
        current.repeats.set(key, repeats + 1);
        return TOLD_NOT;
      }
      const block = limitKeyOfAddress(address);
      const toldBefore = current.toldByAddress.get(block) ?? 0;
      if (current.repeats.size >= most || toldBefore >= mostPerAddress) {
        counts.dropped++;
        return TOLD_NOT;
      }
      counts.told++;
      current.repeats.set(key, 0);
      current.toldByAddress.set(block, toldBefore + 1);
      return { tell: true, repeated: previous.repeats.get(key) ?? 0 };
    },
    counts,
  };
}

function emptyWindow(index: number): Window {
  return { index, repeats: new Map(), toldByAddress: new Map() };
}

/** The origin of a blocked URL; what is none (`inline`, `eval`, `data`) stands for itself. */
function originOf(blocked: string): string {
  const origin = URL.parse(blocked)?.origin;
  return origin === undefined || origin === "null" ? blocked : origin;
}
