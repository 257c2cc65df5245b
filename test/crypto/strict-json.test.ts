import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonFault, parseStrictJson } from "../../src/kernel/strict-json.ts";

/** The fault that a text is refused with. */
function faultOf(text: string, maxDepth?: number): JsonFault {
  try {
    parseStrictJson(text, maxDepth === undefined ? {} : { maxDepth });
  } catch (error) {
    assert.ok(error instanceof JsonFault, String(error));
    assert.ok(!error.message.includes("\n"));
    return error;
  }
  throw new assert.AssertionError({ message: `accepted ${text.slice(0, 200)}` });
}

test("gives what JSON.parse gives for JSON without faults", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      fc.pre(!/__proto__|constructor|prototype/.test(text) && !/\\ud/.test(text));
      assert.deepEqual(parseStrictJson(text), JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test("takes what looks like a fault and is none", () => {
  for (const text of [
    '{"a":{"a":{"a":1}},"b":{"a":2}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":"{\\"x\\":[[[","b":"]]}"}',
    '{"a":"\\\\","b":"\\\\\\""}',
    '["__proto__","constructor","prototype"]',
    '{"a":"__proto__","Prototype":1,"proto":2,"__PROTO__":3}',
    '{"":1,"\\u0000":2}',
    '"\\ud83d\\ude00"',
    '"\u{1f600}"',
    '{"\\ud83d\\ude00":1}',
    " [ 1 , 2 ] ",
    "null",
    "0",
  ]) {
    assert.deepEqual(parseStrictJson(text), JSON.parse(text), text);
  }
});

test("refuses a member that is given twice, however its name is spelled, and says where", () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"a":1,"a":2}', "a"],
    ['{"a":1,"\\u0061":2}', "a"],
    ['{"\\u0061":1,"\\u0061":2}', "a"],
    ['{"a/b":1,"a\\/b":1}', "a/b"],
    ['{"é":1,"\\u00e9":1}', "é"],
    ['{"\\ud83d\\ude00":1,"\u{1f600}":2}', "\u{1f600}"],
    ['{"":1,"":1}', ""],
    ['{"a":{"b":[0,{"c":1,"c":2}]}}', "a.b.1.c"],
    ['[[],[1,2,{"x":{},"x":[]}]]', "1.2.x"],
    ['{"a":[{"b":1}],"c":{"d":1},"a":1}', "a"],
    ['{"a" :1, \n"a"\t:2}', "a"],
  ];
  for (const [text, field] of cases) {
    const fault = faultOf(text);
    assert.equal(fault.message, "member given twice", text);
    assert.equal(fault.field, field, text);
  }
});

test("refuses every repetition in objects of any size", () => {
  for (const size of [2, 11, 12, 13, 14, 40, 300]) {
    const names = Array.from({ length: size }, (_, i) => `"n${i}":0`);
    parseStrictJson(`{${names.join()}}`);
    for (const i of [0, size >> 1, size - 1]) {
      assert.equal(faultOf(`{${names.join()},"n${i}":0}`).field, `n${i}`);
    }
  }
});

test("refuses names that reach a prototype, also in escapes and in depth", () => {
  for (const name of ["__proto__", "constructor", "prototype"]) {
    const spelled = [...name].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
    for (const key of [
      name,
      spelled,
      `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}`,
    ]) {
      for (const text of [`{"${key}":{"admin":true}}`, `[{"a":{"${key}":1}}]`, `{"a":1,"${key}":null}`]) {
        assert.equal(faultOf(text).message, "member name not allowed", text);
      }
    }
  }
  assert.equal(faultOf('[{"a":{"__proto__":1}}]').field, "0.a.__proto__");
});

test("refuses what is nested deeper than the limit, and no sooner", () => {
  const arrays = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  for (const nested of [arrays, objects]) {
    parseStrictJson(nested(32));
    assert.equal(faultOf(nested(33)).message, "nested deeper than 32 levels");
    parseStrictJson(nested(3), { maxDepth: 3 });
    assert.equal(faultOf(nested(4), 3).message, "nested deeper than 3 levels");
  }
  parseStrictJson(`[${"[],".repeat(100)}[]]`, { maxDepth: 2 });
  assert.equal(faultOf("[]", 0).message, "nested deeper than 0 levels");
});

test("a million brackets, open or closed, overflow no stack", () => {
  assert.match(faultOf("[".repeat(1e6)).message, /^nested deeper/);
  assert.match(faultOf('{"a":'.repeat(1e6)).message, /^nested deeper/);
  assert.equal(faultOf("]".repeat(1e6)).message, "syntax error");
});

test("refuses lone surrogates, as they are and in escapes, in names and in values", () => {
  for (const text of [
    '"\ud800"',
    '{"a":"x\udc00"}',
    '"\\ud800"',
    '"\\uDC00"',
    '{"a":["\\ude00\\ud83d"]}',
    '{"\\ud800":1}',
    '{"a":"\\ud83d\\u0041"}',
    '["\\n\\ud800"]',
    '["\\\\\\ud800"]',
  ]) {
    assert.equal(faultOf(text).message, "lone surrogate", text);
  }
  parseStrictJson('"\\\\ud800"');
});

test("refuses what is not JSON, and quotes none of it", () => {
  for (const text of [
    "",
    " ",
    "undefined",
    "NaN",
    "01",
    "+1",
    "'a'",
    '{"a":1,}',
    "[1,]",
    "[1,,2]",
    "{a:1}",
    '{"a"}',
    '{"a":1 "b":2}',
    '{"secret-value',
    '"secret-value\\',
    '"\\x41"',
    '"\\u00g0"',
    '{"\\q":1}',
    '"\t"',
    "[1]2",
    "{}{}",
    "[}",
    "/* */1",
    "\ufeff{}",
  ]) {
    assert.equal(faultOf(text).message, "syntax error", text);
  }
});

test("never agrees to a text that JSON.parse refuses, nor throws anything else than a JsonFault", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "a",
    "\\u0061",
    "1",
    " ",
    '"a"',
    '"a":1',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let value: unknown;
      try {
        value = parseStrictJson(text);
      } catch (error) {
        assert.ok(error instanceof JsonFault);
        return;
      }
      assert.deepEqual(value, JSON.parse(text));
    }),
    { numRuns: 5000 },
  );
});

test("the path of a fault is bounded and well-formed, whatever its names", () => {
  const long = "x".repeat(10_000);
  assert.equal(faultOf(`{"${long}":1,"${long}":2}`).field?.length, 128);
  const cut = `${"x".repeat(127)}\u{1f600}`;
  assert.ok(faultOf(`{"${cut}":1,"${cut}":2}`).field?.isWellFormed());
});
