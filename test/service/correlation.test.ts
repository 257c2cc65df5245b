import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;

describe("a request id and a trace", () => {
  let behind: TestService;
  let open: TestService;
  before(async () => {
    behind = await runService({ KYROS_TRUST_PROXY: "127.0.0.1" });
    open = await runService();
  });
  after(async () => {
    await behind.stop();
    await open.stop();
  });

  /** Sends header lines to a protected route, and returns the id of the answer and the event of the refusal. */
  async function send(service: TestService, lines: readonly string[]) {
    const answer = await sendRaw(service.url, rawRequest("GET", "/protected", lines));
    assert.equal(answer?.status, 401);
    const id = /^x-request-id: (\S+)\r?$/im.exec(answer.head)?.[1];
    const event = service.events.at(-1)!;
    assert.equal(event.requestId, id);
    return { id, event };
  }

  it("are a trusted proxy's: they stand in the answer and in the events", async () => {
    const { id, event } = await send(behind, ["x-request-id: proxy-1.2_3", `traceparent: ${TRACEPARENT}`]);
    assert.equal(id, "proxy-1.2_3");
    assert.deepEqual([event.traceId, event.spanId], [TRACE, SPAN]);
  });

  it("are nobody else's", async () => {
    const { id, event } = await send(open, ["x-request-id: proxy-1", `traceparent: ${TRACEPARENT}`]);
    assert.notEqual(id, "proxy-1");
    assert.deepEqual([event.traceId, event.spanId], [undefined, undefined]);
  });

  it("are made anew where a proxy passes on what could upset a line, or several", async () => {
    for (const lines of [
      ["x-request-id: "],
      ["x-request-id: two words"],
      ['x-request-id: "},{"event":"forged'],
      ["x-request-id: a\tb"],
      ["x-request-id: \xe9"],
      [`x-request-id: ${"a".repeat(129)}`],
      ["x-request-id: one", "x-request-id: two"],
    ]) {
      const { id } = await send(behind, lines);
      assert.match(id!, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/, lines.join());
    }
    const longest = "a".repeat(128);
    assert.equal((await send(behind, [`x-request-id: ${longest}`])).id, longest);
  });

  it("have no trace of a traceparent that is malformed or comes twice", async () => {
    for (const lines of [
      [`traceparent: 00-${"0".repeat(32)}-${SPAN}-01`],
      [`traceparent: ${TRACEPARENT}-x`],
      [`traceparent: ${TRACEPARENT}`, `traceparent: ${TRACEPARENT}`],
    ]) {
      assert.equal((await send(behind, lines)).event.traceId, undefined);
    }
  });
});
