import type { AuthOutcome } from "./authentication.ts";
import { ABSENT } from "./authentication.ts";
import type { Observer } from "./observer.ts";
import type { Principal } from "./principal.ts";
import { ANONYMOUS } from "./principal.ts";
import type { Rule } from "./rule.ts";
import type { TraceContext } from "./trace-context.ts";

/** A request as every adapter presents it: read only, nothing decoded, nothing believed. */
export interface RequestView {
  readonly method: string;
  /** The path of the request target as received, without its query. */
  readonly path: string;
  /** The whole request target as received. */
  readonly target: string;
  /** The one value of a header by its lower-case name; several lines are joined by ", " (RFC 9110 section 5.3). */
  header(name: string): string | undefined;
  /** Every line of a header by its lower-case name, in order. */
  headerLines(name: string): readonly string[];
  /** The address at the other end of the connection. */
  readonly peerAddress: string;
  /** Whether that connection itself is TLS. */
  readonly peerEncrypted: boolean;
  /** A field of a parsed form body, where there is one yet. */
  formField?(name: string): string | undefined;
}

/** Who is at the other end, after the forwarded headers of trusted proxies (RFC 7239) are taken into account. */
export interface Client {
  /** Canonical text: IPv4-mapped addresses folded, zone removed; `unknown` where nobody vouches for one. */
  readonly address: string;
  readonly scheme: "http" | "https";
  /**
   * Host (and port, unless the scheme implies it) the client asked for, as far as it can be believed: valid and in
   * lower case, or empty.
   */
  readonly host: string;
  /** The peer is a trusted proxy, so that its forwarded headers, if any, have been taken into account. */
  readonly viaTrustedProxy: boolean;
}

/** What was decided about a limit, for the response's headers. */
export interface Allowance {
  readonly policy: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Seconds until the whole quota is there again. */
  readonly resetSeconds: number;
  readonly allowed: boolean;
  /** Seconds until the next request may succeed; 0 where it may now. */
  readonly retryAfterSeconds: number;
}

/**
 * One request and what is staged for its response. Everything the response must carry is staged before the handler
 * runs, so that refusals carry it too; there is no phase afterwards.
 */
export class Exchange {
  readonly view: RequestView;
  readonly rule: Rule;
  readonly requestId: string;
  readonly client: Client;
  /** The instant this exchange is judged at (ms since the epoch): one for all guards. */
  readonly nowMs: number;
  /** Staged headers, flat: lower-case name, value, name, value. */
  readonly staged: string[];
  outcome: AuthOutcome = ABSENT;
  principal: Principal = ANONYMOUS;
  /** A browser session cookie came along, valid or not: state changes then need the CSRF proof. */
  ridesOnCookie = false;
  /** What the live browser session of that cookie binds the proof to, also where another credential made the principal. */
  cookieBinding: string | undefined = undefined;
  /** The CSRF token is still to be checked in the form body; until then nothing may be handled. */
  csrfPending = false;
  /** The CSP nonce of this response, once somebody has asked for one. */
  nonce: string | undefined = undefined;
  /** The pattern of the matched route, never the path that was asked for; `undefined` where none matched. */
  route: string | undefined = undefined;
  /** Who is told what becomes of this exchange. */
  observer: Observer | undefined = undefined;
  /** When it was opened, on the monotonic clock (ms); 0 where nobody measures. */
  openedAtMs = 0;
  /** Its place in a trace, where an observer has begun a span for it. */
  trace: TraceContext | undefined = undefined;

  constructor(
    view: RequestView,
    rule: Rule,
    requestId: string,
    client: Client,
    nowMs: number,
    staged: readonly string[],
  ) {
    this.view = view;
    this.rule = rule;
    this.requestId = requestId;
    this.client = client;
    this.nowMs = nowMs;
    // Spread, since V8 copies a frozen array forty times slower by slice().
    this.staged = [...staged];
  }

  /** Stages a header for whatever response this exchange ends in. `set-cookie` may be staged several times. */
  stage(name: string, value: string): void {
    this.staged.push(name, value);
  }

  /** Stages a header in place of one staged before. */
  restage(name: string, value: string): void {
    for (let i = 0; i < this.staged.length; i += 2) {
      if (this.staged[i] === name) {
        this.staged[i + 1] = value;
        return;
      }
    }
    this.staged.push(name, value);
  }
}
