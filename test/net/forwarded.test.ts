import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ForwardedHop } from "../../src/net/forwarded.ts";
import { forwardedForFromRight, forwardedFromRight } from "../../src/net/forwarded.ts";
import { headerBytes } from "../guards/http-request.ts";

const hops = (...lines: string[]) => [...forwardedFromRight(lines)];

test("the examples of RFC 7239 are read", () => {
  const table: [line: string, hopsFromRight: (ForwardedHop | undefined)[]][] = [
    ['for="_gazonk"', [{}]],
    ['For="[2001:db8:cafe::17]:4711"', [{ address: "2001:db8:cafe::17" }]],
    ["for=192.0.2.60;proto=http;by=203.0.113.43", [{ address: "192.0.2.60", scheme: "http" }]],
    ["for=192.0.2.43, for=198.51.100.17", [{ address: "198.51.100.17" }, { address: "192.0.2.43" }]],
    ["for=_hidden, for=_SEVKISEK", [{}, {}]],
    [
      'for=192.0.2.43, for="[2001:db8:cafe::17]", for=unknown',
      [{}, { address: "2001:db8:cafe::17" }, { address: "192.0.2.43" }],
    ],
    [
      "for=192.0.2.43,for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com",
      [{ address: "198.51.100.17", scheme: "http", host: "example.com" }, { address: "192.0.2.43" }],
    ],
    ['for="192.0.2.43:47011"', [{ address: "192.0.2.43" }]],
    ['for="192.0.2.43:_port"', [{ address: "192.0.2.43" }]],
  ];
  for (const [line, expected] of table) assert.deepEqual(hops(line), expected, line);
});

test("names and schemes are read in any case, quoting and spacing that the grammar allows", () => {
  const table: [line: string, hop: ForwardedHop][] = [
    ["FOR=192.0.2.1;PROTO=HTTPS", { address: "192.0.2.1", scheme: "https" }],
    ['for="192.0.2.1";proto="https"', { address: "192.0.2.1", scheme: "https" }],
    ['for="\\1\\92.0.2.1"', { address: "192.0.2.1" }],
    ['host="kyros.example:8443"', { host: "kyros.example:8443" }],
    ['host="a;b,c\\"d"', { host: 'a;b,c"d' }],
    [" for=192.0.2.1 ; proto=https\t", { address: "192.0.2.1", scheme: "https" }],
    ["for=192.0.2.1;;proto=https;", { address: "192.0.2.1", scheme: "https" }],
    ["for=192.0.2.1;secret=x;proto=wss", { address: "192.0.2.1", scheme: "https" }],
    ["for=192.0.2.1;proto=gopher", { address: "192.0.2.1" }],
    ['for="[::ffff:192.0.2.1]"', { address: "192.0.2.1" }],
    ["proto=https", { scheme: "https" }],
    ["", {}],
  ];
  for (const [line, hop] of table) assert.deepEqual(hops(line), [hop], line);
});

test("an element of bad form is malformed as a whole", () => {
  const lines = [
    "192.0.2.1",
    "for",
    "for=",
    "=192.0.2.1",
    "for =192.0.2.1",
    "for= 192.0.2.1",
    "for=192.0.2.1 proto=https",
    "for=192.0.2.1;for=192.0.2.2",
    "for=192.0.2.1;proto=https;Proto=http",
    'for="192.0.2.1',
    'for=192.0.2.1"',
    'for="192.0.2.1"x',
    "for='192.0.2.1'",
    "for=2001:db8::1",
    'for="2001:db8::1"',
    "for=[2001:db8::1]",
    'for="[192.0.2.1]"',
    'for="[2001:db8::1"',
    "for=192.0.2.1:80",
    'for="192.0.2.1:123456"',
    'for="192.0.2.1:"',
    "for=010.0.0.1",
    "for=127.1",
    "for=unknown1",
    "for=example.com",
    'for=""',
    "för=192.0.2.1",
    'for=192.0.2.1;host="a\0"',
  ];
  for (const line of lines) assert.deepEqual(hops(line), [undefined], JSON.stringify(line));
});

test("what a client sends cannot change how a proxy's own element is read", () => {
  const written: [element: string, hop: ForwardedHop][] = [
    ["for=192.0.2.1", { address: "192.0.2.1" }],
    ['for="[2001:db8::1]:4711";proto=https', { address: "2001:db8::1", scheme: "https" }],
    [
      'proto=http;host="a,b;c\\\\\\"";for=192.0.2.1',
      { address: "192.0.2.1", scheme: "http", host: 'a,b;c\\"' },
    ],
  ];
  const sent = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[",;=\\ a1:[\]]{0,20}$/),
    fc.constantFrom('for="', 'for="x\\', 'for="1.2.3.4\\", for="', '"', "\\", ",", 'x="', "for=1.2.3.4;"),
  );
  fc.assert(
    fc.property(sent, fc.constantFrom(...written), fc.boolean(), (garbage, [element, hop], isOwnLine) => {
      const lines = isOwnLine ? [garbage, element] : [`${garbage}, ${element}`];
      assert.deepEqual(forwardedFromRight(lines).next().value, hop);
    }),
    { numRuns: 2000 },
  );
});

test("X-Forwarded-For is read in the forms proxies write, from the right, over all lines", () => {
  const entries = (...lines: string[]) => [...forwardedForFromRight(lines)];
  assert.deepEqual(entries("192.0.2.1, 198.51.100.1 ,\t2001:DB8::1"), [
    "2001:db8::1",
    "198.51.100.1",
    "192.0.2.1",
  ]);
  assert.deepEqual(entries("192.0.2.1", "192.0.2.2, 192.0.2.3"), ["192.0.2.3", "192.0.2.2", "192.0.2.1"]);
  assert.deepEqual(entries("192.0.2.1:4711"), ["192.0.2.1"]);
  assert.deepEqual(entries("[2001:db8::1]:4711"), ["2001:db8::1"]);
  assert.deepEqual(entries("[2001:db8::1]"), ["2001:db8::1"]);
  assert.deepEqual(entries("::ffff:192.0.2.1"), ["192.0.2.1"]);
  for (const bad of [
    "",
    "unknown",
    "_x",
    "unix:",
    "127.1",
    "010.0.0.1",
    "192.0.2.1;x",
    '"192.0.2.1"',
    "\xa0192.0.2.1",
    "evil",
  ]) {
    assert.deepEqual(entries(bad), [undefined], JSON.stringify(bad));
  }
});

test("no text makes either reader throw", () => {
  fc.assert(
    fc.property(fc.array(headerBytes, { maxLength: 4 }), (lines) => {
      for (const hop of forwardedFromRight(lines)) assert.equal(typeof (hop ?? {}), "object");
      for (const address of forwardedForFromRight(lines)) assert.equal(typeof (address ?? ""), "string");
    }),
    { numRuns: 2000 },
  );
});
