import type { Exchange } from "../kernel/exchange.ts";
import type { TraceContext } from "../kernel/trace-context.ts";
import { parseTraceparent } from "../kernel/trace-context.ts";

/**
 * Where a request stands in a distributed trace: the span that was begun for it, or what its `traceparent` says. That
 * header is believed from a trusted proxy alone, as a request id is: else anybody could write into anybody's trace.
 */
export function traceOf(exchange: Exchange): TraceContext | undefined {
  if (exchange.trace !== undefined) return exchange.trace;
  if (!exchange.client.viaTrustedProxy) return undefined;
  const given = exchange.view.header("traceparent");
  return given === undefined ? undefined : parseTraceparent(given);
}
