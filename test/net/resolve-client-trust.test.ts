import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RequestView } from "../../src/kernel/exchange.ts";
import { parseCidrs } from "../../src/net/cidr.ts";
import { createClientResolver } from "../../src/pipeline/resolve-client.ts";
import { headerBytes, requestView } from "../guards/http-request.ts";

const PROXY = "10.0.0.1";
const CLIENT = "203.0.113.7";
const SPOOFED = "198.51.100.99";

const behindProxies = createClientResolver({ trustedProxies: parseCidrs(["10.0.0.0/8"]) });
const direct = createClientResolver({ trustedProxies: undefined });

test("a peer that is no trusted proxy is the client, whatever it sends", () => {
  const headers = {
    host: "kyros.example",
    forwarded: `for=${SPOOFED};proto=https;host=evil.example`,
    "x-forwarded-for": SPOOFED,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
  };
  for (const resolver of [behindProxies, direct]) {
    const client = resolver(requestView({ headers, peerAddress: `::ffff:${CLIENT}` }));
    assert.equal(`${client.address} ${client.scheme}://${client.host}`, `${CLIENT} http://kyros.example`);
    assert.equal(client.viaTrustedProxy, false);
  }
  const viaProxy = direct(requestView({ headers, peerAddress: PROXY, peerEncrypted: true }));
  assert.equal(`${viaProxy.address} ${viaProxy.scheme}://${viaProxy.host}`, `${PROXY} https://kyros.example`);
});

test("a peer without an address is unknown, and never trusted", () => {
  const everyone = createClientResolver({ trustedProxies: parseCidrs(["0.0.0.0/0", "::/0"]) });
  for (const peerAddress of ["", "undefined", "/run/kyros.sock", "unix:"]) {
    const client = everyone(requestView({ peerAddress, headers: { "x-forwarded-for": SPOOFED } }));
    assert.equal(client.address, "unknown");
    assert.equal(client.viaTrustedProxy, false);
  }
});

test("no header but the documented ones is read, and without trusted proxies none until the host is asked for", () => {
  const read = new Set<string>();
  const spy = (peerAddress: string): RequestView => ({
    ...requestView({ peerAddress }),
    header: (name) => {
      read.add(name);
      return SPOOFED;
    },
    headerLines: (name) => {
      read.add(name);
      return [SPOOFED];
    },
  });
  const client = direct(spy(PROXY));
  assert.equal(client.address, PROXY);
  assert.deepEqual([...read], []);
  assert.equal(client.host, SPOOFED);
  assert.deepEqual([...read], ["host"]);
  behindProxies(spy(PROXY)).host;
  assert.deepEqual([...read].sort(), [
    "forwarded",
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
  ]);
});

test("no bytes in any header make it throw or believe an address that a proxy did not vouch for", () => {
  const text = fc.oneof(
    headerBytes,
    fc.stringMatching(/^[",;=\\ .:[\]0-9a-f]{0,30}$/),
    fc.constantFrom(SPOOFED, `for=${SPOOFED}`, 'for="', "unknown", `${PROXY},`, "https", "evil.example"),
  );
  const lines = fc.array(text, { maxLength: 3 });
  const sent = fc.record({ forwarded: lines, for: lines, proto: lines, hosts: lines, host: lines });
  fc.assert(
    fc.property(sent, fc.boolean(), (headers, isAppended) => {
      const appended = (earlier: readonly string[], own: string) =>
        isAppended ? [[...earlier, own].join(", ")] : [...earlier, own];
      const client = behindProxies(
        requestView({
          peerAddress: PROXY,
          headers: {
            "x-forwarded-for": appended(headers.for, CLIENT),
            "x-forwarded-proto": headers.proto,
            "x-forwarded-host": headers.hosts,
            forwarded: headers.forwarded,
            host: headers.host,
          },
        }),
      );
      assert.ok([CLIENT, "unknown"].includes(client.address), client.address);
      assert.match(client.host, /^[a-z0-9._:[\]-]*$/);
    }),
    { numRuns: 2000 },
  );
});
