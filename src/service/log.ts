import type { Logger } from "pino";
import pino from "pino";
import type { LogLevel } from "../config/settings.ts";
import type { AuditEvent, EventSink } from "../kernel/audit-event.ts";
import { systemClock, toRfc3339 } from "../kernel/clock.ts";
import type { Exchange } from "../kernel/exchange.ts";
import { traceOf } from "../pipeline/trace-of.ts";
import { logDestination } from "./log-destination.ts";

export interface Log {
  /** Security events, one JSON line each, at level `info`, or `warn` for what was refused. */
  readonly events: EventSink;
  /** A failure that is nobody's refusal, with its cause. */
  failure(error: unknown, exchange?: Exchange): void;
  info(message: string): void;
  /** From now on logs what is of this level or above; absent where somebody else decides on that. */
  readonly setLevel?: (level: LogLevel) => void;
}

/** A caller's words are kept short enough that a line stays a line's worth. */
const MOST_TEXT = 256;

/** Property names under which a secret might travel in a foreign error; their values never reach the log. */
const REDACTED = ["password", "token", "secret", "authorization", "cookie", "key"].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/**
 * JSON lines on standard output (ASVS V16.2.4). JSON escapes every control character, so that no user-chosen text can
 * begin a line of its own (V16.4.1). Lines are written before the call returns, where they can be: what was logged survives a crash.
 */
export function createLog(level: string, destination: pino.DestinationStream = logDestination(1)): Log {
  const logger: Logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${toRfc3339(systemClock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: "[redacted]" },
    },
    destination,
  );
  return {
    events: {
      record(event) {
        logger[event.outcome === "success" ? "info" : "warn"](line(event));
      },
    },
    failure(error, exchange) {
      const trace = exchange && traceOf(exchange);
      logger.error(
        {
          request_id: exchange?.requestId,
          trace_id: trace?.traceId,
          span_id: trace?.spanId,
          method: exchange?.view.method,
          path: clip(exchange?.view.path),
          err: error,
        },
        "failure",
      );
    },
    info: (message) => logger.info(message),
    setLevel(level) {
      logger.level = level;
    },
  };
}

function line(event: AuditEvent) {
  return {
    event: event.name,
    at: toRfc3339(event.atMs),
    outcome: event.outcome,
    actor: event.actor,
    subject: clip(event.subject),
    request_id: event.requestId,
    trace_id: event.traceId,
    span_id: event.spanId,
    address: event.address,
    user_agent: clip(event.userAgent),
    method: event.method,
    path: clip(event.path),
    reason: event.reason,
    details: event.details,
  };
}

function clip(text: string | undefined): string | undefined {
  return text?.slice(0, MOST_TEXT);
}
