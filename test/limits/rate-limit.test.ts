import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAddressLimit, createPrincipalLimit } from "../../src/guards/rate-limit.ts";
import { rejected } from "../../src/kernel/authentication.ts";
import { Outage } from "../../src/kernel/failure.ts";
import type { Guard } from "../../src/kernel/guard.ts";
import { PASS } from "../../src/kernel/guard.ts";
import type { Limiter } from "../../src/kernel/limiter.ts";
import { canonicalAddress } from "../../src/net/address.ts";
import type { ExchangeParts } from "./exchanges.ts";
import { exchangeOf, NOW_MS, serviceOf, spyLimiter, stagedOf, userOf } from "./exchanges.ts";

const POLICY = { name: "default", limit: 2, windowMs: 60_000 };
const ADDRESS_POLICY = { ...POLICY, name: "address" };

const kindOf = async (guard: Guard, parts: ExchangeParts = {}) => (await guard.check(exchangeOf(parts))).kind;

for (const answers of ["at once", "later"] as const) {
  describe(`address limit, the limiter answering ${answers}`, () => {
    const guardOf = () => {
      const { limiter, takes } = spyLimiter(answers);
      return { guard: createAddressLimit({ limiter, policy: ADDRESS_POLICY }), takes };
    };

    it("lets the limit through without a word, and refuses the next", async () => {
      const { guard } = guardOf();
      for (let i = 0; i < 2; i++) {
        const exchange = exchangeOf();
        assert.equal(await guard.check(exchange), PASS);
        assert.deepEqual(stagedOf(exchange), {});
      }
      const exchange = exchangeOf({ nowMs: NOW_MS + 18_000 });
      assert.deepEqual(await guard.check(exchange), {
        kind: "deny",
        problem: {
          code: "rate_limited",
          status: 429,
          detail: "Try again in 12 s.",
          headers: ["retry-after", "12"],
        },
        cause: 'limit "address" of address:192.0.2.1',
      });
      assert.deepEqual(stagedOf(exchange), {
        "ratelimit-policy": '"address";q=2;w=60',
        ratelimit: '"address";r=0;t=42',
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "42",
      });
    });

    it("charges the address whoever asks", async () => {
      const { guard, takes } = guardOf();
      await kindOf(guard, { principal: userOf("a") });
      await kindOf(guard, { principal: serviceOf("b") });
      assert.deepEqual(takes, ["address address:192.0.2.1", "address address:192.0.2.1"]);
    });

    it("skips a route whose rule says so", async () => {
      const { guard, takes } = guardOf();
      for (let i = 0; i < 5; i++) assert.equal(await kindOf(guard, { rule: { limit: "off" } }), "pass");
      assert.deepEqual(takes, []);
    });
  });

  describe(`principal limit, the limiter answering ${answers}`, () => {
    const guardOf = (policiesOf?: Parameters<typeof createPrincipalLimit>[0]["policiesOf"]) => {
      const { limiter, takes } = spyLimiter(answers);
      return {
        guard: createPrincipalLimit({ limiter, policy: POLICY, ...(policiesOf && { policiesOf }) }),
        takes,
      };
    };

    it("says what is left on success and on refusal", async () => {
      const { guard } = guardOf();
      const said = [];
      for (let i = 0; i < 3; i++) {
        const exchange = exchangeOf({ principal: userOf("a") });
        const decision = await guard.check(exchange);
        said.push([decision.kind, stagedOf(exchange)["ratelimit"], stagedOf(exchange)["ratelimit-policy"]]);
      }
      assert.deepEqual(said, [
        ["pass", '"default";r=1;t=30', '"default";q=2;w=60'],
        ["pass", '"default";r=0;t=60', '"default";q=2;w=60'],
        ["deny", '"default";r=0;t=60', '"default";q=2;w=60'],
      ]);
    });

    it("charges the user, the key, or the address of whoever is unknown", async () => {
      const { guard, takes } = guardOf();
      await kindOf(guard, { principal: userOf("a") });
      await kindOf(guard, { principal: serviceOf("a") });
      await kindOf(guard);
      const refused = exchangeOf();
      refused.outcome = rejected("access_token", "expired");
      await guard.check(refused);
      assert.deepEqual(takes, [
        "default user:a",
        "default key:a",
        "default address:192.0.2.1",
        "default address:192.0.2.1",
      ]);
    });

    it("keeps apart who shares an address, and together who changes it", async () => {
      const { guard } = guardOf();
      for (let i = 0; i < 2; i++) await kindOf(guard, { principal: userOf("a"), address: `192.0.2.${i}` });
      assert.equal(await kindOf(guard, { principal: userOf("a"), address: "192.0.2.9" }), "deny");
      assert.equal(await kindOf(guard, { principal: userOf("b"), address: "192.0.2.1" }), "pass");
    });

    it("lets no name be spelled like another kind's key", async () => {
      const { guard } = guardOf();
      for (let i = 0; i < 2; i++) await kindOf(guard, { principal: userOf("a") });
      assert.equal(await kindOf(guard, { address: "user:a" }), "pass");
      assert.equal(await kindOf(guard, { principal: serviceOf("user:a") }), "pass");
      assert.equal(await kindOf(guard, { principal: userOf("user:a") }), "pass");
    });

    it("skips a route whose rule says so", async () => {
      const { guard, takes } = guardOf();
      const exchange = exchangeOf({ rule: { limit: "off" } });
      assert.equal(await guard.check(exchange), PASS);
      assert.deepEqual(stagedOf(exchange), {});
      assert.deepEqual(takes, []);
    });

    const minute = { name: "minute", limit: 2, windowMs: 60_000 };
    const day = { name: "day", limit: 3, windowMs: 86_400_000 };

    it("lets a key's own policies hold in place of the default, all of them", async () => {
      const { guard, takes } = guardOf(() => [day, minute]);
      const said = [];
      for (const nowMs of [NOW_MS, NOW_MS, NOW_MS, NOW_MS + 60_000, NOW_MS + 60_000]) {
        const exchange = exchangeOf({ principal: serviceOf("k"), nowMs });
        said.push([(await guard.check(exchange)).kind, stagedOf(exchange)["ratelimit"]]);
      }
      assert.deepEqual(said, [
        ["pass", '"minute";r=1;t=30'],
        ["pass", '"minute";r=0;t=60'],
        ["deny", '"minute";r=0;t=60'],
        ["pass", '"day";r=0;t=86340'],
        ["deny", '"day";r=0;t=86340'],
      ]);
      assert.ok(takes.every((take) => take.endsWith(" key:k")));
      // What the shortest refuses costs nothing of the longer ones.
      assert.deepEqual(takes.map((take) => take.split(" ")[0]).slice(0, 5), [
        "minute",
        "day",
        "minute",
        "day",
        "minute",
      ]);
    });

    it("shows the policy with the longest way to its whole quota where as much is left of all", async () => {
      const { guard } = guardOf(() => [
        { ...day, limit: 3 },
        { ...minute, limit: 3 },
      ]);
      const exchange = exchangeOf({ principal: serviceOf("k") });
      await guard.check(exchange);
      assert.equal(stagedOf(exchange)["ratelimit"], '"day";r=2;t=28800');
    });

    it("shows the policy that refuses, though another has as little left", async () => {
      const longer = { name: "longer", limit: 1, windowMs: 90_000 };
      const { guard } = guardOf(() => [{ ...minute, limit: 1 }, longer]);
      await kindOf(guard, { principal: serviceOf("k") });
      const exchange = exchangeOf({ principal: serviceOf("k"), nowMs: NOW_MS + 60_000 });
      const decision = await guard.check(exchange);
      assert.equal(decision.kind === "deny" && decision.problem.detail, "Try again in 30 s.");
      assert.equal(stagedOf(exchange)["ratelimit"], '"longer";r=0;t=30');
    });

    it("uses the default where somebody has no policy of their own", async () => {
      for (const policies of [undefined, []]) {
        const { guard, takes } = guardOf(() => policies);
        await kindOf(guard, { principal: serviceOf("k") });
        assert.deepEqual(takes, ["default key:k"]);
      }
    });

    it("asks for nobody's own policies where nobody is known", async () => {
      const { guard, takes } = guardOf(() => [minute]);
      await kindOf(guard);
      assert.deepEqual(takes, ["default address:192.0.2.1"]);
    });
  });
}

describe("limits by address", () => {
  it("R14: count 65,536 addresses of one /56 as one client", () => {
    const { limiter } = spyLimiter("at once");
    const guard = createPrincipalLimit({ limiter, policy: POLICY });
    let passed = 0;
    for (let i = 0; i < 65_536; i++) {
      const address = canonicalAddress(
        `2001:db8:0:1${(i & 255).toString(16).padStart(2, "0")}::${i.toString(16)}`,
      );
      if (guard.check(exchangeOf({ address: address! })) === PASS) passed++;
    }
    assert.equal(passed, 2);
    assert.equal(guard.check(exchangeOf({ address: "2001:db8:0:200::1" })), PASS, "the /56 beside it");
  });

  it("R14: count an address as one client in every notation, and each IPv4 address on its own", () => {
    const { limiter, takes } = spyLimiter("at once");
    const guard = createAddressLimit({ limiter, policy: ADDRESS_POLICY });
    for (const text of ["203.0.113.5", "::ffff:203.0.113.5", "::FFFF:cb00:7105", "203.0.113.6"]) {
      guard.check(exchangeOf({ address: canonicalAddress(text)! }));
    }
    assert.deepEqual(takes, [
      ...["address address:203.0.113.5", "address address:203.0.113.5", "address address:203.0.113.5"],
      "address address:203.0.113.6",
    ]);
  });
});

describe("limits without their limiter", () => {
  const outage = new Outage("redis");
  const throwing: Limiter = {
    take: () => {
      throw outage;
    },
  };
  const rejecting: Limiter = { take: () => Promise.reject(outage) };
  for (const [how, limiter] of [
    ["throws", throwing],
    ["rejects", rejecting],
  ] as const) {
    it(`neither pass nor refuse when it ${how}`, async () => {
      const own = () => [POLICY, ADDRESS_POLICY];
      for (const guard of [
        createAddressLimit({ limiter, policy: ADDRESS_POLICY }),
        createPrincipalLimit({ limiter, policy: POLICY }),
        createPrincipalLimit({ limiter, policy: POLICY, policiesOf: own }),
      ]) {
        await assert.rejects(async () => guard.check(exchangeOf({ principal: userOf("a") })), outage);
      }
    });
  }
});
