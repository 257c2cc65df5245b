import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { systemRandom } from "../../src/kernel/random.ts";
import { createPlacement } from "../../src/stores/memory/key-placement.ts";
import { writeLimitKey } from "../../src/stores/memory/limit-key.ts";
import { createSipHash } from "../../src/stores/sip-hash.ts";

/** The key's words in hexadecimal, and whether it had to be fingerprinted. */
function written(key: string): { hex: string; exact: boolean } {
  const words = new Int32Array(4).fill(-1);
  let exact = true;
  writeLimitKey(
    key,
    (text, out) => {
      exact = false;
      fingerprint(text, out);
    },
    words,
  );
  assert.notEqual(words[2], 0);
  return { hex: Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join(" "), exact };
}
const fingerprint = createSipHash(systemRandom.bytes(16));

const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(byte, byte, byte, byte).map((octets) => `address:${octets.join(".")}`);
/** The canonical text of a /56: its groups up to the last that is not zero. */
const ipv6 = fc
  .tuple(...Array.from({ length: 4 }, () => fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))))
  .map((groups) => {
    const prefix = groups.map((group, i) => (i === 3 ? group & 0xff00 : group));
    while (prefix.at(-1) === 0) prefix.pop();
    return `address:${prefix.map((group) => group.toString(16)).join(":")}::/56`;
  });
const uuid = fc
  .tuple(fc.constantFrom("user:", "key:"), fc.uuid({ version: [4, 7] }))
  .map(([prefix, id]) => prefix + id);

describe("limit keys as 128 bits", () => {
  it("writes what every request brings exactly", () => {
    assert.deepEqual(written("address:203.0.113.5"), {
      hex: "cb007105 00000000 40000004 00000000",
      exact: true,
    });
    assert.deepEqual(written("address:::/56"), { hex: "00000000 00000000 40000006 00000000", exact: true });
    assert.deepEqual(written("address:2001:db8:0:100::/56"), {
      hex: "20010db8 00000100 40000006 00000000",
      exact: true,
    });
    assert.deepEqual(written("address:0:0:1::/56"), {
      hex: "00000000 00010000 40000006 00000000",
      exact: true,
    });
    assert.deepEqual(written("user:01890a5d-ac96-774b-bcce-b302099a8057"), {
      hex: "01890a5d ac96374b bcceb302 099a8057",
      exact: true,
    });
    assert.deepEqual(written("key:01890a5d-ac96-774b-bcce-b302099a8057"), {
      hex: "01890a5d ac96574b bcceb302 099a8057",
      exact: true,
    });
  });

  it("writes no two keys alike", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(ipv4, ipv6, uuid), { minLength: 2, maxLength: 50, size: "max" }),
        (keys) => {
          const all = keys.map(written);
          assert.ok(all.every(({ exact }) => exact));
          assert.equal(new Set(all.map(({ hex }) => hex)).size, new Set(keys).size);
        },
      ),
    );
  });

  it("writes no other text like a key, however close", () => {
    const edit = fc.record({
      at: fc.nat(45),
      drop: fc.nat(2),
      insert: fc.oneof(
        fc.constantFrom("0", "00", ":", ".", "::", "a", "A", "-", " ", "/", ""),
        fc.string({ maxLength: 2 }),
      ),
    });
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, uuid), edit, (key, { at, drop, insert }) => {
        const other = key.slice(0, at) + insert + key.slice(at + drop);
        assert.equal(written(other).hex === written(key).hex, other === key);
      }),
      { numRuns: 5000 },
    );
  });

  for (const key of [
    "address:010.0.0.1",
    "address:1.2.3",
    "address:1.2.3.4.5",
    "address:1.2.3.256",
    "address:1..2.3",
    "address:1.2.3.",
    "address:1.2.3.4 ",
    "address:2001:DB8::/56",
    "address:2001:0db8::/56",
    "address:2001:db\u00b8::/56",
    "address:2001:db8:0::/56",
    "address:2001:db8:0:101::/56",
    "address:1:2:3:400:5::/56",
    "address:1:2:3:400:500::/56",
    "address:12345::/56",
    "address::1::/56",
    "address:1:::/56",
    "address:2001:db8::/64",
    "address:unknown",
    "address:",
    "ADDRESS:1.2.3.4",
    "user:01890A5D-AC96-774B-BCCE-B302099A8057",
    "user:01890a5d-ac96-174b-bcce-b302099a8057",
    "user:01890a5d-ac96-774b-3cce-b302099a8057",
    "user:01890a5dac96774bbcceb302099a8057",
    "user:01890a5d-ac96-774b-bcce-b302099a805g",
    "user:01890a5d-ac96-774b-bcce-b302099a805\uff17",
    "user:01890a5d-ac96-774b-bcce-b302099a80570",
    "key:a",
    "01890a5d-ac96-774b-bcce-b302099a8057",
  ]) {
    it(`fingerprints ${JSON.stringify(key)}`, () => {
      const { hex, exact } = written(key);
      assert.equal(exact, false);
      assert.ok(["c", "d", "e", "f"].includes(hex[18]!), hex);
    });
  }
});

describe("key placement", () => {
  it("depends on every byte of a key, and on the seed", () => {
    const base = Int32Array.of(0x01020304, 0x05060708, 0x090a0b0c, 0x0d0e0f10);
    const one = createPlacement(systemRandom);
    const other = createPlacement(systemRandom);
    const places = new Set([one(base, 0), other(base, 0)]);
    for (let bit = 0; bit < 128; bit += 8) {
      places.add(one(base.with(bit >> 5, base[bit >> 5]! ^ (1 << (bit & 31))), 0));
    }
    assert.equal(places.size, 18);
  });

  it("spreads neighbouring networks evenly", () => {
    const place = createPlacement(systemRandom);
    const load = new Uint32Array(64);
    for (let i = 0; i < 65_536; i++)
      load[place(Int32Array.of(0x20010db8, i << 8, 0x40000006, 0), 0) >>> 26]!++;
    // 1,024 each on average; tabulation of two bytes that vary spreads them about as well as chance.
    assert.ok(Math.max(...load) < 1600 && Math.min(...load) > 600, String(load));
  });
});
