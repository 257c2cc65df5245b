import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hostname, parseHost, withoutDefaultPort } from "../../src/net/host.ts";
import { OriginFault, parseOrigins } from "../../src/net/origin.ts";

test("a host is a name, an IPv4 or a bracketed IPv6 address, with or without a port, in lower case", () => {
  const table: [text: string, host: string][] = [
    ["Kyros.Example", "kyros.example"],
    ["kyros.example:8443", "kyros.example:8443"],
    ["localhost", "localhost"],
    ["my_service:8000", "my_service:8000"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["kyros.example.", "kyros.example."],
    ["192.0.2.1:80", "192.0.2.1:80"],
    ["[2001:DB8::1]", "[2001:db8::1]"],
    ["[::1]:8000", "[::1]:8000"],
  ];
  for (const [text, host] of table) assert.equal(parseHost(text), host, text);
});

test("what could break out of a URL or a header is no host", () => {
  const texts = [
    "",
    " kyros.example",
    "kyros.example ",
    "kyros.example/path",
    "kyros.example?x",
    "kyros.example#x",
    "user@kyros.example",
    "kyros.example\\evil.example",
    "kyros.example\r\nx: y",
    "kyros.example\0",
    "kyros.example, evil.example",
    "kyros..example",
    ".example",
    "kyros.example:",
    "kyros.example:0",
    "kyros.example:080",
    "kyros.example:65536",
    "kyros.example:99999",
    "kyros.example:80:80",
    "kyros%2eexample",
    "kýros.example",
    "::1",
    "[::1",
    "[::1]x",
    "[192.0.2.1]",
    "[fe80::1%eth0]",
    "[::ffff:010.0.0.1]",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(200)}example`,
  ];
  for (const text of texts) assert.equal(parseHost(text), undefined, JSON.stringify(text));
});

test("a host that is accepted is the authority of the URL it is put into", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.webAuthority(), fc.domain(), fc.string(), fc.stringMatching(/^[a-z.:[\]@/\\0-9]{1,20}$/)),
      (text) => {
        const host = parseHost(text);
        if (host === undefined || !URL.canParse(`https://${host}/a`)) return;
        const url = new URL(`https://${host}/a`);
        assert.equal(url.pathname, "/a");
        assert.equal(url.username, "");
      },
    ),
  );
});

test("the port that the scheme implies is not part of an origin's host", () => {
  assert.equal(withoutDefaultPort("kyros.example:443", "https"), "kyros.example");
  assert.equal(withoutDefaultPort("kyros.example:80", "http"), "kyros.example");
  assert.equal(withoutDefaultPort("kyros.example:80", "https"), "kyros.example:80");
  assert.equal(withoutDefaultPort("kyros.example:8443", "https"), "kyros.example:8443");
  assert.equal(withoutDefaultPort("[2001:db8::443]", "https"), "[2001:db8::443]");
  assert.equal(withoutDefaultPort("[::1]:443", "https"), "[::1]");
  assert.equal(hostname("kyros.example:8443"), "kyros.example");
  assert.equal(hostname("[::1]:8443"), "[::1]");
  assert.equal(hostname("[::1]"), "[::1]");
});

test("origins are exact, in the spelling of browsers, and all faults are named at once", () => {
  assert.deepEqual(
    [...parseOrigins(["https://app.example", "http://localhost:3000", "https://[2001:db8::1]"])],
    ["https://app.example", "http://localhost:3000", "https://[2001:db8::1]"],
  );
  const table: [text: string, message: RegExp][] = [
    ["*", /list the exact origins/],
    ["null", /sandboxed/],
    ["https://*.example", /is a pattern/],
    ["app.example", /write scheme:\/\/host/],
    ["", /write scheme:\/\/host/],
    ["https://app.example/", /write https:\/\/app\.example$/],
    ["https://app.example/path", /write https:\/\/app\.example$/],
    ["https://App.Example", /write https:\/\/app\.example$/],
    ["https://app.example:443", /write https:\/\/app\.example$/],
    ["https://user@app.example", /write https:\/\/app\.example$/],
    ["https://bücher.example", /write https:\/\/xn--bcher-kva\.example$/],
    [" https://app.example", /write https:\/\/app\.example$/],
    ["ftp://app.example", /must begin with https/],
    ["javascript:alert(1)", /must begin with https/],
    ["app.example:3000", /must begin with https/],
  ];
  for (const [text, message] of table) {
    assert.throws(() => parseOrigins(["https://ok.example", text]), { name: "OriginFault", message }, text);
  }
  assert.throws(
    () => parseOrigins(table.map(([text]) => text)),
    (error) => error instanceof OriginFault && error.faults.length === table.length,
  );
});
