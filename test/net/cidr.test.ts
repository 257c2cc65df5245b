import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalAddress } from "../../src/net/address.ts";
import { CidrFault, parseCidrs } from "../../src/net/cidr.ts";

test("a range holds its addresses and no others", () => {
  const set = parseCidrs(["10.0.0.0/8", "192.0.2.1", "198.51.100.128/25", "2001:db8::/33", "fd00::1/128"]);
  const table: [address: string, held: boolean][] = [
    ["10.0.0.0", true],
    ["10.255.255.255", true],
    ["9.255.255.255", false],
    ["11.0.0.0", false],
    ["192.0.2.1", true],
    ["192.0.2.2", false],
    ["198.51.100.127", false],
    ["198.51.100.128", true],
    ["2001:db8:7fff::1", true],
    ["2001:db8:8000::1", false],
    ["fd00::1", true],
    ["fd00::2", false],
    ["::ffff:10.0.0.1", true],
    ["unknown", false],
    ["", false],
  ];
  for (const [address, held] of table) assert.equal(set.contains(address), held, address);
  for (const [address, held] of table) assert.equal(set.contains(address), held, `${address}, remembered`);
});

test("IPv4 and IPv6 ranges never hold each other's addresses", () => {
  assert.equal(parseCidrs(["::/0"]).contains("192.0.2.1"), false);
  assert.equal(parseCidrs(["::/0"]).contains("2001:db8::1"), true);
  assert.equal(parseCidrs(["0.0.0.0/0"]).contains("2001:db8::1"), false);
  assert.equal(parseCidrs(["0.0.0.0/0"]).contains("192.0.2.1"), true);
  assert.equal(parseCidrs([]).contains("192.0.2.1"), false);
});

test("a range of IPv4-mapped addresses is the IPv4 range", () => {
  const set = parseCidrs(["::ffff:10.0.0.0/104", "::ffff:192.0.2.1"]);
  assert.equal(set.contains("10.9.9.9"), true);
  assert.equal(set.contains("11.0.0.0"), false);
  assert.equal(set.contains("192.0.2.1"), true);
  assert.equal(set.contains("192.0.2.2"), false);
});

test("what is no range is refused with the remedy, all faults at once", () => {
  const table: [text: string, message: RegExp][] = [
    ["", /is no address range/],
    ["everyone", /is no address range/],
    ["10.0.0.0/33", /prefix longer than 32/],
    ["2001:db8::/129", /prefix longer than 128/],
    ["::ffff:10.0.0.0/129", /prefix longer than 128/],
    ["::ffff:0.0.0.0/90", /write the IPv4 range/],
    ["10.0.0.0/", /is no address range/],
    ["10.0.0.0/08", /is no address range/],
    ["10.0.0.0/-1", /is no address range/],
    ["10.0.0.0/8/8", /is no address range/],
    ["10.0.0.0/255.0.0.0", /is no address range/],
    ["10/8", /is no address range/],
    ["010.0.0.0/8", /is no address range/],
    [" 10.0.0.0/8", /is no address range/],
    ["fe80::1%eth0", /is no address range/],
    ["10.1.2.3/8", /write 10\.0\.0\.0\/8 or 10\.1\.2\.3\/32/],
    ["2001:db8::1/32", /write 2001:db8::\/32 or 2001:db8::1\/128/],
    ["0.0.0.1/0", /write 0\.0\.0\.0\/0/],
  ];
  for (const [text, message] of table) {
    assert.throws(
      () => parseCidrs(["192.0.2.0/24", text]),
      { name: "CidrFault", message },
      JSON.stringify(text),
    );
  }
  assert.throws(
    () => parseCidrs(table.map(([text]) => text)),
    (error) => error instanceof CidrFault && error.faults.length === table.length,
  );
});

test("it agrees with Node's block list on every address and range", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalAddress(text)!);
  fc.assert(
    fc.property(address, address, fc.nat(128), (base, probe, bits) => {
      const family = (text: string) => (text.includes(":") ? "ipv6" : "ipv4");
      const length = family(base) === "ipv4" ? bits % 33 : bits;
      const oracle = new BlockList();
      oracle.addSubnet(base, length, family(base));
      // The range's own network comes from the fault that names it.
      let network = `${base}/${length}`;
      try {
        parseCidrs([network]);
      } catch (error) {
        network = /write (\S+) or/.exec((error as Error).message)![1]!;
      }
      const set = parseCidrs([network]);
      assert.equal(set.contains(base), true);
      assert.equal(set.contains(probe), family(base) === family(probe) && oracle.check(probe, family(probe)));
    }),
    { numRuns: 1000 },
  );
});
