import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import {
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { toUser } from "../../src/identity/accounts/account.ts";
import { createAccessToken, createKyros, Outage } from "../../src/index.ts";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import type { RequestView } from "../../src/kernel/exchange.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../../src/kernel/rule.ts";
import type { HttpRequest } from "../guards/http-request.ts";
import { requestView } from "../guards/http-request.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const PROXY = "10.0.0.7";

function kyrosWith(limiter?: Parameters<typeof createKyros>[0]["limiter"]) {
  const events: AuditEvent[] = [];
  const kyros = createKyros({
    secret: generateSecret(systemRandom),
    trustedProxies: [PROXY],
    insecureHttp: true,
    events: { record: (event) => void events.push(event) },
    onFailure: () => undefined,
    ...(limiter && { limiter }),
  });
  const walk = async (request: HttpRequest, rule = DEFAULT_RULE as typeof PUBLIC_RULE) => {
    const exchange = kyros.pipeline.open(requestView(request) as RequestView, rule, "/things/:id");
    const outcome = await kyros.pipeline.run(exchange);
    return { exchange, outcome };
  };
  return { kyros, events, walk };
}

/** An SDK as a host would register it, after Kyros was made. */
function registerSdk() {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  return exporter;
}

afterEach(() => {
  trace.disable();
  context.disable();
});

describe("tracing", () => {
  it("begins no span where the host has no SDK", async () => {
    const { walk } = kyrosWith();
    const { exchange } = await walk({});
    assert.equal(exchange.trace, undefined);
  });

  it("makes one span of a walk, named after nothing the caller chose, though the SDK came late", async () => {
    const { kyros, walk } = kyrosWith();
    const exporter = registerSdk();
    const account = await kyros.accounts.create(
      { username: "alice", email: null, password: "correct horse battery staple", role: "user" },
      { atMs: kyros.clock.now(), actor: { kind: "operator" } },
    );
    const authorization = `Bearer ${await createAccessToken(kyros, toUser(account))}`;
    await walk({ target: "/things/canary?q=canary", headers: { authorization, cookie: "a=canary" } });
    const spans = exporter.getFinishedSpans();
    assert.equal(spans.length, 1);
    assert.equal(spans[0]!.name, "kyros.guards");
    assert.equal(spans[0]!.attributes["user.id"], account.id);
    assert.equal(spans[0]!.attributes["kyros.credential"], "access_token");
    assert.doesNotMatch(JSON.stringify(spans[0]!.attributes), /canary|Bearer/);
  });

  it("tells the guard that refused, by the conventions' names; a refusal is no error of ours", async () => {
    const { walk } = kyrosWith();
    const exporter = registerSdk();
    const { exchange } = await walk({ headers: { authorization: "Bearer a.b.c" } });
    const [span] = exporter.getFinishedSpans();
    assert.deepEqual(span!.attributes, {
      "http.request.method": "GET",
      "http.route": "/things/:id",
      "url.scheme": "http",
      "client.address": "203.0.113.7",
      "kyros.request_id": exchange.requestId,
      "kyros.decision": "deny",
      "kyros.guard": "require",
      "http.response.status_code": 401,
      "error.type": "token_invalid",
    });
    assert.equal(span!.status.code, SpanStatusCode.UNSET);
  });

  it("tells a passed walk without a guard, and an outage as an error without its message", async () => {
    const down = { take: () => Promise.reject(new Outage("redis", { cause: new Error("canary") })) };
    const exporter = registerSdk();
    await kyrosWith().walk({}, PUBLIC_RULE);
    await kyrosWith(down).walk({}, PUBLIC_RULE);
    const [passed, failed] = exporter.getFinishedSpans();
    assert.equal(passed!.attributes["kyros.decision"], "pass");
    assert.equal("kyros.guard" in passed!.attributes, false);
    assert.equal(failed!.attributes["kyros.decision"], "failure");
    assert.equal(failed!.attributes["kyros.guard"], "address-limit");
    assert.equal(failed!.attributes["error.type"], "Outage");
    assert.equal(failed!.status.code, SpanStatusCode.ERROR);
    assert.doesNotMatch(JSON.stringify([failed!.attributes, failed!.events, failed!.status]), /canary/);
  });

  it("takes the caller's trace from a trusted proxy alone", async () => {
    const { walk } = kyrosWith();
    const exporter = registerSdk();
    const headers = { traceparent: TRACEPARENT, tracestate: "vendor=1" };
    await walk({ headers, peerAddress: PROXY });
    await walk({ headers, peerAddress: "203.0.113.7" });
    const [trusted, foreign] = exporter.getFinishedSpans();
    assert.equal(trusted!.spanContext().traceId, TRACE);
    assert.equal(trusted!.parentSpanContext?.spanId, SPAN);
    assert.equal(trusted!.spanContext().traceState?.get("vendor"), "1");
    assert.notEqual(foreign!.spanContext().traceId, TRACE);
    assert.equal(foreign!.parentSpanContext, undefined);
  });

  it("belongs to the host's own span where one is active", async () => {
    const { walk } = kyrosWith();
    const exporter = registerSdk();
    const server = trace.getTracer("host").startSpan("GET /things/:id");
    context.setGlobalContextManager(fixedContext(trace.setSpan(ROOT_CONTEXT, server)));
    await walk({ headers: { traceparent: TRACEPARENT }, peerAddress: PROXY });
    assert.equal(exporter.getFinishedSpans()[0]!.parentSpanContext?.spanId, server.spanContext().spanId);
  });

  it("names the trace in the events: the span's own, or the proxy's where there is no SDK", async () => {
    const { walk, events } = kyrosWith();
    const request = { headers: { traceparent: TRACEPARENT }, peerAddress: PROXY };
    await walk(request);
    assert.deepEqual([events[0]!.traceId, events[0]!.spanId], [TRACE, SPAN]);
    const exporter = registerSdk();
    await walk(request);
    const span = exporter.getFinishedSpans()[0]!.spanContext();
    assert.deepEqual([events[1]!.traceId, events[1]!.spanId], [TRACE, span.spanId]);
    assert.notEqual(span.spanId, SPAN);
  });
});

function fixedContext(active: Context): ContextManager {
  return {
    active: () => active,
    with: (_context, work, self, ...args) => work.apply(self as never, args),
    bind: (_context, target) => target,
    enable: () => fixedContext(active),
    disable: () => fixedContext(ROOT_CONTEXT),
  };
}
