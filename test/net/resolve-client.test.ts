import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidrs } from "../../src/net/cidr.ts";
import { createClientResolver } from "../../src/pipeline/resolve-client.ts";
import type { HttpRequest } from "../guards/http-request.ts";
import { requestView } from "../guards/http-request.ts";

const PROXY = "10.0.0.1";
const EDGE = "10.0.0.2";
const CLIENT = "203.0.113.7";
const SPOOFED = "198.51.100.99";

const behindProxies = createClientResolver({ trustedProxies: parseCidrs(["10.0.0.0/8", "fd00::/8"]) });

function resolve(headers: NonNullable<HttpRequest["headers"]>, request: HttpRequest = {}): string {
  const view = requestView({
    peerAddress: PROXY,
    ...request,
    headers: { host: "kyros.example", ...headers },
  });
  const { address, scheme, host } = behindProxies(view);
  return `${address} ${scheme}://${host}`;
}

type Case = [what: string, headers: NonNullable<HttpRequest["headers"]>, client: string];

test("X-Forwarded-*: the first address that no trusted proxy vouches for is the client", () => {
  const table: Case[] = [
    [
      "one proxy",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": "https" },
      `${CLIENT} https://kyros.example`,
    ],
    [
      "two proxies",
      { "x-forwarded-for": `${CLIENT}, ${EDGE}`, "x-forwarded-proto": "https" },
      `${CLIENT} https://kyros.example`,
    ],
    [
      "a spoofed beginning",
      { "x-forwarded-for": `${SPOOFED}, ${CLIENT}`, "x-forwarded-proto": "https" },
      `${CLIENT} https://kyros.example`,
    ],
    [
      "a spoofed trusted address",
      { "x-forwarded-for": `${SPOOFED}, 10.9.9.9, ${CLIENT}, ${EDGE}` },
      `${CLIENT} http://kyros.example`,
    ],
    ["a spoofed line of its own", { "x-forwarded-for": [SPOOFED, CLIENT] }, `${CLIENT} http://kyros.example`],
    ["a mapped address", { "x-forwarded-for": `::ffff:${CLIENT}` }, `${CLIENT} http://kyros.example`],
    ["a mapped proxy", { "x-forwarded-for": `${CLIENT}, ::ffff:${EDGE}` }, `${CLIENT} http://kyros.example`],
    ["a port", { "x-forwarded-for": `${CLIENT}:4711` }, `${CLIENT} http://kyros.example`],
    ["only trusted ones", { "x-forwarded-for": `10.0.0.9, ${EDGE}` }, "10.0.0.9 http://kyros.example"],
    ["no addresses, but a scheme", { "x-forwarded-proto": "https" }, `${PROXY} https://kyros.example`],
    ["no forwarded header at all", {}, `${PROXY} http://kyros.example`],
    [
      "a host",
      { "x-forwarded-for": CLIENT, "x-forwarded-host": "Public.Example:8443" },
      `${CLIENT} http://public.example:8443`,
    ],
    [
      "a host with the default port",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": "https", "x-forwarded-host": "public.example:443" },
      `${CLIENT} https://public.example`,
    ],
    [
      "schemes appended by each proxy",
      { "x-forwarded-for": `${CLIENT}, ${EDGE}`, "x-forwarded-proto": "https, http" },
      `${CLIENT} https://kyros.example`,
    ],
    [
      "a spoofed scheme before the proxy's",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": "https, http" },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "a spoofed host before the proxy's",
      { "x-forwarded-for": CLIENT, "x-forwarded-host": "evil.example, public.example" },
      `${CLIENT} http://public.example`,
    ],
    [
      "fewer schemes than hops",
      { "x-forwarded-for": `${CLIENT}, 10.0.0.3, ${EDGE}`, "x-forwarded-proto": "https, https" },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "a WebSocket's scheme",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": "wss" },
      `${CLIENT} https://kyros.example`,
    ],
  ];
  for (const [what, headers, client] of table) assert.equal(resolve(headers), client, what);
});

test("X-Forwarded-*: what is malformed or contradictory is not believed", () => {
  const table: Case[] = [
    ["malformed at the right", { "x-forwarded-for": `${CLIENT}, garbage` }, `${PROXY} http://kyros.example`],
    [
      "malformed behind one proxy",
      { "x-forwarded-for": `${SPOOFED}, garbage, ${EDGE}` },
      `${EDGE} http://kyros.example`,
    ],
    [
      "malformed left of the client",
      { "x-forwarded-for": `garbage, ${CLIENT}` },
      `${CLIENT} http://kyros.example`,
    ],
    ["an address kept secret", { "x-forwarded-for": `${SPOOFED}, unknown` }, `${PROXY} http://kyros.example`],
    ["an empty last entry", { "x-forwarded-for": `${SPOOFED}, ` }, `${PROXY} http://kyros.example`],
    ["an octal spelling", { "x-forwarded-for": "0313.0.113.7" }, `${PROXY} http://kyros.example`],
    [
      "two scheme lines",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": ["https", "http"] },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "two equal scheme lines",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": ["https", "https"] },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "two host lines",
      { "x-forwarded-for": CLIENT, "x-forwarded-host": ["evil.example", "public.example"] },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "an unknown scheme",
      { "x-forwarded-for": CLIENT, "x-forwarded-proto": "httpsx" },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "a host that is none",
      { "x-forwarded-for": CLIENT, "x-forwarded-host": "evil.example/path" },
      `${CLIENT} http://`,
    ],
    ["a Host that is none", { host: "evil.example/path" }, `${PROXY} http://`],
    ["two Host lines", { host: ["kyros.example", "evil.example"] }, `${PROXY} http://`],
    ["no Host", { host: undefined }, `${PROXY} http://`],
  ];
  for (const [what, headers, client] of table) assert.equal(resolve(headers), client, what);
});

test("a proxy that forwards without a scheme counts as plain HTTP, even over TLS", () => {
  assert.equal(
    resolve({ "x-forwarded-for": CLIENT }, { peerEncrypted: true }),
    `${CLIENT} http://kyros.example`,
  );
  assert.equal(
    resolve({ forwarded: `for=${CLIENT}` }, { peerEncrypted: true }),
    `${CLIENT} http://kyros.example`,
  );
  assert.equal(resolve({}, { peerEncrypted: true }), `${PROXY} https://kyros.example`);
});

test("Forwarded: the first address that no trusted proxy vouches for is the client", () => {
  const table: Case[] = [
    [
      "one proxy",
      { forwarded: `for=${CLIENT};proto=https;host=public.example` },
      `${CLIENT} https://public.example`,
    ],
    [
      "two proxies",
      { forwarded: `for=${CLIENT};proto=https;host=public.example, for=${EDGE};proto=http` },
      `${CLIENT} https://public.example`,
    ],
    [
      "a spoofed beginning",
      { forwarded: `for=${SPOOFED};proto=https;host=evil.example, for=${CLIENT}` },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "a spoofed line",
      { forwarded: [`for=${SPOOFED};proto=https`, `for=${CLIENT}`] },
      `${CLIENT} http://kyros.example`,
    ],
    [
      "a spoofed unclosed quote",
      { forwarded: `for="${SPOOFED}, for="[2001:db8::1]";proto=https` },
      "2001:db8::1 https://kyros.example",
    ],
    [
      "IPv6 proxies",
      { forwarded: `for=${CLIENT};proto=https, for="[fd00::1]:99"` },
      `${CLIENT} https://kyros.example`,
    ],
    [
      "a secret address",
      { forwarded: `for=${SPOOFED}, for=_hidden;proto=https` },
      `${PROXY} https://kyros.example`,
    ],
    [
      "malformed at the right",
      { forwarded: `for=${SPOOFED};proto=https, for=` },
      `${PROXY} http://kyros.example`,
    ],
    [
      "malformed behind one proxy",
      { forwarded: `for=${SPOOFED}, for=[, for=${EDGE};proto=https` },
      `${EDGE} http://kyros.example`,
    ],
    ["a host that is none", { forwarded: `for=${CLIENT};host="a/b"` }, `${CLIENT} http://`],
    ["an empty header", { forwarded: "" }, `${PROXY} http://kyros.example`],
  ];
  for (const [what, headers, client] of table) assert.equal(resolve(headers), client, what);
});

test("of Forwarded and X-Forwarded-* together, only what both say alike is believed", () => {
  const both = (forwarded: string, xFor?: string, xProto?: string, xHost?: string) =>
    resolve({ forwarded, "x-forwarded-for": xFor, "x-forwarded-proto": xProto, "x-forwarded-host": xHost });
  assert.equal(
    both(`for=${CLIENT};proto=https;host=a.example`, CLIENT, "https", "A.example"),
    `${CLIENT} https://a.example`,
  );
  assert.equal(both(`for=${SPOOFED};proto=https`, CLIENT, "https"), "unknown https://kyros.example");
  assert.equal(both(`for=${CLIENT}`, CLIENT, "https"), `${CLIENT} http://kyros.example`);
  assert.equal(both(`for=${CLIENT};proto=https`, CLIENT, "http"), `${CLIENT} http://kyros.example`);
  assert.equal(both(`for=${CLIENT};host=evil.example`, CLIENT), `${CLIENT} http://`);
  assert.equal(both(`for=${CLIENT}`, CLIENT, undefined, "evil.example"), `${CLIENT} http://`);
  assert.equal(both(`for=${SPOOFED}`, undefined, "https"), "unknown http://kyros.example");
});
