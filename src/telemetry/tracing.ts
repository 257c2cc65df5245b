import { createRequire } from "node:module";
import type { Context, Span, SpanContext, Tracer } from "@opentelemetry/api";
import type { Exchange } from "../kernel/exchange.ts";
import type { Observer } from "../kernel/observer.ts";
import type { TraceContext } from "../kernel/trace-context.ts";

type Api = typeof import("@opentelemetry/api");

const TRACER = "kyros";
const SPAN = "kyros.guards";

/** Where every copy of the API keeps what a host has registered (its `internal/global-utils`). */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");
const requireModule = createRequire(import.meta.url);

export interface TracingOptions {
  /** What a request's headers say of the trace it belongs to, as far as they are believed. */
  readonly traceOf: (exchange: Exchange) => TraceContext | undefined;
}

/**
 * One span for each walk through the guards, where the host has an OpenTelemetry SDK; where it has none, the price is
 * one look a request. The span belongs to the host's own where one is active, else to the caller's (`traceparent`).
 * Attributes are those of the semantic conventions for HTTP, and ours under `kyros.`; none holds a path, a credential
 * or an error's message.
 */
export function createTracing({ traceOf }: TracingOptions): Observer {
  const spans = new WeakMap<Exchange, Span>();
  let names: readonly string[] = [];
  let api: Api | undefined;

  /** The API, once a host has registered something with it: to load it costs a start more than it is worth before. */
  function loadedApi(): Api | undefined {
    if (api !== undefined) return api;
    if ((globalThis as Record<symbol, { trace?: unknown } | undefined>)[REGISTERED]?.trace === undefined)
      return undefined;
    api = requireModule("@opentelemetry/api") as Api;
    return api;
  }

  function end(exchange: Exchange, decision: string, at: number, status?: number, errorType?: string): void {
    const span = spans.get(exchange);
    if (span === undefined) return;
    spans.delete(exchange);
    span.setAttribute("kyros.decision", decision);
    if (at < names.length) span.setAttribute("kyros.guard", names[at]!);
    if (exchange.principal.kind !== "anonymous") {
      span.setAttribute("user.id", exchange.principal.user.id);
      span.setAttribute("kyros.credential", exchange.principal.credential);
    }
    if (status !== undefined) span.setAttribute("http.response.status_code", status);
    if (errorType !== undefined) span.setAttribute("error.type", errorType);
    // A refusal is a server's success (semantic conventions for HTTP spans, "Status"): only our own faults are errors.
    if (decision === "failure" && api) span.setStatus({ code: api.SpanStatusCode.ERROR });
    span.end();
  }

  return {
    attached(guardNames) {
      names = guardNames;
    },
    opened(exchange) {
      const otel = loadedApi();
      const tracer = otel && tracerOfHost(otel);
      if (otel === undefined || tracer === undefined) return;
      const { view, client, route } = exchange;
      const span = tracer.startSpan(
        SPAN,
        {
          kind: otel.SpanKind.INTERNAL,
          attributes: {
            "http.request.method": view.method,
            "url.scheme": client.scheme,
            "client.address": client.address,
            "kyros.request_id": exchange.requestId,
            ...(route !== undefined && { "http.route": route }),
          },
        },
        parentOf(otel, exchange),
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      exchange.trace = { traceId, spanId, sampled: (traceFlags & otel.TraceFlags.SAMPLED) !== 0 };
      spans.set(exchange, span);
    },
    decided(exchange, at, decision) {
      if (exchange.trace === undefined) return;
      if (decision.kind === "deny") {
        end(exchange, "deny", at, decision.problem.status, decision.problem.code);
      } else {
        end(exchange, decision.kind, at, decision.kind === "answer" ? decision.answer.status : undefined);
      }
    },
    failed(exchange, at, error) {
      if (exchange.trace === undefined) return;
      end(exchange, "failure", at, undefined, error instanceof Error ? error.name : "_OTHER");
    },
    answered(exchange, status) {
      // What the framework refused before any guard was asked.
      if (exchange.trace !== undefined) end(exchange, "none", names.length, status);
    },
  };

  function parentOf(otel: Api, exchange: Exchange): Context {
    const { context, createTraceState, ROOT_CONTEXT, TraceFlags, trace } = otel;
    const active = context.active();
    if (trace.getSpan(active) !== undefined) return active;
    const given = traceOf(exchange);
    if (given === undefined) return ROOT_CONTEXT;
    const state = exchange.view.header("tracestate");
    const parent: SpanContext = {
      traceId: given.traceId,
      spanId: given.spanId,
      traceFlags: given.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
      ...(state !== undefined && { traceState: createTraceState(state) }),
    };
    return trace.setSpanContext(ROOT_CONTEXT, parent);
  }
}

/** The tracer of the SDK that is registered now, also where it was registered after us; `undefined` where none is. */
function tracerOfHost({ trace, ProxyTracerProvider }: Api): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer(TRACER)
    : provider.getTracer(TRACER);
}
