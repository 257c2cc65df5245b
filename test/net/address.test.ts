import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalAddress, limitKeyOfAddress } from "../../src/net/address.ts";

test("an address has one canonical text, whatever the notation", () => {
  const table: [text: string, canonical: string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
    ["0000:0000:0000:0000:0000:ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1%eth0", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["fe80::1%eth0.100", "fe80::1"],
    ["fe80::1%3", "fe80::1"],
    ["::", "::"],
    ["::1", "::1"],
    // IPv4-compatible, NAT64 and translated addresses are not IPv4-mapped ones.
    ["::192.0.2.1", "::c000:201"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["::ffff:0:192.0.2.1", "::ffff:0:c000:201"],
  ];
  for (const [text, canonical] of table) assert.equal(canonicalAddress(text), canonical, text);
});

test("spellings that parsers read differently are no addresses", () => {
  const texts = [
    "",
    " ",
    "192.0.2.01",
    "010.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "127.1",
    "127.0.1",
    "192.0.2.256",
    "192.0.2.1.",
    ".192.0.2.1",
    "192.0.2",
    "192.0.2.1.5",
    "192.0.2.1 ",
    " 192.0.2.1",
    "192.0.2.1\n",
    "192.0.2.1%eth0",
    "192.0.2.1/32",
    "192.0.2.1:80",
    "192.0.2.١",
    "::ffff:010.0.0.1",
    "::ffff:0x7f.0.0.1",
    "::ffff:127.1",
    "::ffff:192.0.2.1.",
    "192.0.2.1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    ":::",
    "12345::",
    "g::1",
    "[::1]",
    "fe80::1%",
    "fe80::1%eth0 ",
    "fe80::1%a%b",
    "fe80::1%ü",
    `::1${" ".repeat(100)}`,
    `fe80::1%${"a".repeat(100)}`,
    `::${"0".repeat(4000)}1`,
    "unknown",
    "localhost",
  ];
  for (const text of texts) assert.equal(canonicalAddress(text), undefined, JSON.stringify(text));
});

test("whatever Node takes for an address, and nothing else, has a canonical text that stands for itself", () => {
  const part = fc.constantFrom("0", "1", "ffff", "db8", "0001", "192.0.2.1", "", "10000", "01.2.3.4", "g");
  const near = fc.array(part, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(":"));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), near, fc.string()), (text) => {
      const canonical = canonicalAddress(text);
      assert.equal(canonical !== undefined, (isIPv4(text) || isIPv6(text)) && text.length <= 64, text);
      if (canonical === undefined) return;
      assert.equal(canonicalAddress(canonical), canonical);
      // The WHATWG URL serialiser is a second opinion on RFC 5952.
      if (canonical.includes(":")) assert.equal(new URL(`http://[${canonical}]/`).hostname, `[${canonical}]`);
    }),
    { numRuns: 3000 },
  );
});

test("an IPv6 client has one limit key for its /56, an IPv4 client its address", () => {
  const table: [address: string, key: string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:0:100::1", "2001:db8:0:100::/56"],
    ["2001:db8:0:1ff:ffff:ffff:ffff:ffff", "2001:db8:0:100::/56"],
    ["2001:db8:0:200::1", "2001:db8:0:200::/56"],
    ["2001:db8::1", "2001:db8::/56"],
    ["::1", "::/56"],
    ["unknown", "unknown"],
    // Not canonical: it must not fall into the block of all IPv4-mapped addresses.
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["no:address", "no:address"],
  ];
  for (const [address, key] of table) assert.equal(limitKeyOfAddress(address), key, address);
});

test("R14: 2^16 addresses in one /56 are one key, and remembering many addresses forgets none of their keys", () => {
  const keys = new Set<string>();
  for (let n = 0; n < 0x10000; n++) {
    const host = (n & 0xff).toString(16);
    keys.add(
      limitKeyOfAddress(canonicalAddress(`2001:db8:0:1${(n >> 8).toString(16).padStart(2, "0")}::${host}`)!),
    );
  }
  assert.deepEqual([...keys], ["2001:db8:0:100::/56"]);
  assert.equal(limitKeyOfAddress("2001:db8:0:200::1"), "2001:db8:0:200::/56");
});
