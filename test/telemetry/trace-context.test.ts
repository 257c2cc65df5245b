import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTraceparent } from "../../src/kernel/trace-context.ts";
import { headerBytes } from "../guards/http-request.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test("a traceparent is read as W3C Trace Context writes it", () => {
  const context = { traceId: TRACE, spanId: SPAN };
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), { ...context, sampled: true });
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-00`), { ...context, sampled: false });
  // Bit 1 is the random flag of level 2.
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-02`), { ...context, sampled: false });
  assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`), {
    ...context,
    sampled: true,
  });
});

test("what is not one is nothing", () => {
  for (const text of [
    "",
    TRACE,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01 `,
    `00-${TRACE}-${SPAN}-01\n`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-${"x".repeat(500)}`,
  ]) {
    assert.equal(parseTraceparent(text), undefined, text);
  }
});

test("whatever a header holds, ids are hexadecimal digits and nothing else", () => {
  fc.assert(
    fc.property(
      fc.oneof(headerBytes, fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.?$/)),
      (text) => {
        const read = parseTraceparent(text);
        if (read === undefined) return;
        assert.match(read.traceId, /^[0-9a-f]{32}$/);
        assert.match(read.spanId, /^[0-9a-f]{16}$/);
      },
    ),
  );
});
