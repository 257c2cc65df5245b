import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createRequire } from "../../src/guards/require.ts";
import type { Authenticated } from "../../src/kernel/principal.ts";
import { ROLES } from "../../src/kernel/principal.ts";
import { problem } from "../../src/kernel/problem.ts";
import type { Rule } from "../../src/kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../../src/kernel/rule.ts";
import { mergeRules } from "../../src/pipeline/merge-rules.ts";
import { exchangeOf, NOW_MS } from "../guards/http-request.ts";

const rules: fc.Arbitrary<Rule> = fc
  .record(
    {
      access: fc.constantFrom("public", "optional", "user"),
      csrf: fc.constantFrom("exempt", "origin", "token"),
      limit: fc.constantFrom("default", "off"),
      role: fc.constantFrom(...ROLES),
      exactRole: fc.constantFrom(...ROLES),
      scopes: fc.subarray(["a:read", "a:write", "b:read"], { minLength: 1 }),
      callers: fc.constantFrom("people", "any"),
      freshWithinMs: fc.constantFrom(1000, 60_000),
      mfa: fc.constant(true),
    },
    { requiredKeys: ["access", "csrf", "limit"] },
  )
  .map((rule) => rule as Rule);

const principals: fc.Arbitrary<Authenticated | undefined> = fc.option(
  fc
    .record({
      kind: fc.constantFrom("user", "service"),
      role: fc.constantFrom(...ROLES),
      scopes: fc.option(fc.subarray(["a:*", "a:read", "b:read", "*"]), { nil: undefined }),
      ageMs: fc.constantFrom(0, 30_000, 120_000),
      mfa: fc.boolean(),
    })
    .map(({ kind, role, scopes, ageMs, mfa }) => {
      const user = { id: "1", username: "a", email: null, role };
      const authenticatedAtMs = NOW_MS - ageMs;
      const held = scopes ?? (kind === "service" ? [] : undefined);
      return {
        kind,
        user,
        authenticatedAtMs,
        mfa,
        ...(held && { scopes: held }),
      } as unknown as Authenticated;
    }),
  { nil: undefined },
);

describe("a rule of two", () => {
  it("lets pass whom both let pass, and nobody else", async () => {
    const guard = createRequire({ isCurrent: () => true });
    const passes = async (rule: Rule, principal: Authenticated | undefined): Promise<boolean> => {
      const exchange = exchangeOf({}, rule);
      if (principal !== undefined) exchange.outcome = { kind: "authenticated", principal };
      return (await guard.check(exchange)).kind === "pass";
    };
    await fc.assert(
      fc.asyncProperty(rules, rules, principals, async (one, other, principal) => {
        const merged = mergeRules(one, other);
        const each = [await passes(one, principal), await passes(other, principal)];
        // A key needs a scope that its route names: there the two together may be kinder than one that names none.
        const isKinder =
          principal?.kind === "service" && (one.scopes === undefined) !== (other.scopes === undefined);
        if (await passes(merged, principal)) assert.ok(isKinder || each.every(Boolean));
        // What a public rule adds is not looked at, unless the other one is not public.
        const bothLook = one.access !== "public" && other.access !== "public";
        if (bothLook && each.every(Boolean) && one.exactRole === other.exactRole) {
          assert.ok(await passes(merged, principal));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("asks for the stricter CSRF proof, and is of the inner kind", () => {
    const inner: Rule = { ...PUBLIC_RULE, limit: "off", plainHttp: true };
    assert.deepEqual(mergeRules(DEFAULT_RULE, inner), { ...DEFAULT_RULE, limit: "off", plainHttp: true });
    assert.deepEqual(mergeRules(inner, DEFAULT_RULE), { ...DEFAULT_RULE });
  });

  it("forgets nothing of either, whichever of them it is that asks", () => {
    const asked: readonly Partial<Rule>[] = [
      { role: "admin" },
      { exactRole: "moderator" },
      { scopes: ["a:read"] },
      { callers: "people" },
      { freshWithinMs: 1000 },
      { mfa: true },
      { policy: () => false },
      { refusal: { kind: "deny", problem: problem("insufficient_role", "No.") } },
    ];
    for (const part of asked) {
      const one = { ...DEFAULT_RULE, ...part };
      assert.deepEqual(mergeRules(one, DEFAULT_RULE), one);
      assert.deepEqual(mergeRules(DEFAULT_RULE, one), one);
    }
  });

  it("holds both policies, whether they answer at once or late", async () => {
    for (const first of [true, false, Promise.resolve(true), Promise.resolve(false)]) {
      for (const second of [true, false]) {
        const one = { ...DEFAULT_RULE, policy: () => first };
        const { policy } = mergeRules(one, { ...DEFAULT_RULE, policy: () => second });
        assert.equal(await policy?.({} as Authenticated, exchangeOf()), (await first) && second);
      }
    }
  });
});
