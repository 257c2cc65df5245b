import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRequire } from "../../src/guards/require.ts";
import { scopeCovers } from "../../src/guards/scope.ts";
import type { AuthOutcome } from "../../src/kernel/authentication.ts";
import { ABSENT, rejected } from "../../src/kernel/authentication.ts";
import type { Client, RequestView } from "../../src/kernel/exchange.ts";
import { Exchange } from "../../src/kernel/exchange.ts";
import type { Authenticated, Role } from "../../src/kernel/principal.ts";
import type { Rule } from "../../src/kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../../src/kernel/rule.ts";
import { routeGuards } from "../../src/pipeline/route-guards.ts";

const NOW = 1_800_000_000_000;
let isCurrent = true;
const guard = createRequire({ isCurrent: () => isCurrent });

function person(role: Role, extra: object = {}): Authenticated {
  const user = { id: "u", username: "u", email: null, role };
  return {
    kind: "user",
    user,
    credential: "session",
    sessionId: "s",
    authenticatedAtMs: NOW - 60_000,
    mfa: false,
    ...extra,
  };
}

function program(role: Role, scopes: readonly string[]): Authenticated {
  const user = { id: "u", username: "u", email: null, role };
  return {
    kind: "service",
    user,
    credential: "api_key",
    keyId: "k",
    keyName: "k",
    scopes,
    authenticatedAtMs: NOW,
  };
}

async function judge(rule: Rule, outcome: AuthOutcome): Promise<string> {
  const exchange = new Exchange({ method: "GET" } as RequestView, rule, "id", {} as Client, NOW, []);
  exchange.outcome = outcome;
  const decision = await guard.check(exchange);
  return decision.kind === "deny" ? decision.problem.code : decision.kind;
}

function as(principal: Authenticated): AuthOutcome {
  return { kind: "authenticated", principal };
}

describe("require", () => {
  it("is asked for no role or scope that does not exist, as everybody would have it", () => {
    for (const role of ["Admin", "", "root"] as string[] as Role[]) {
      assert.throws(() => routeGuards.requireRole(role), TypeError);
      assert.throws(() => routeGuards.requireExactRole(role), TypeError);
      assert.throws(() => routeGuards.requireUser({ role }), TypeError);
    }
    assert.throws(() => routeGuards.requireRole(undefined as unknown as Role), TypeError);
    for (const scopes of [[], undefined] as unknown as string[]) {
      assert.throws(() => routeGuards.requireScope(scopes), TypeError);
    }
  });

  it("refuses nothing and lets nobody pass, where a rule asks for it while others' changes are unknown", async () => {
    const rule: Rule = { ...DEFAULT_RULE, whileBehind: "refuse" };
    assert.equal(await judge(rule, as(person("user"))), "pass");
    isCurrent = false;
    try {
      for (const outcome of [as(person("admin")), ABSENT, rejected("access_token", "revoked")]) {
        await assert.rejects(judge(rule, outcome), { name: "Outage", dependency: "database" });
      }
      await assert.rejects(judge({ ...PUBLIC_RULE, whileBehind: "refuse" }, ABSENT), { name: "Outage" });
      assert.equal(await judge(DEFAULT_RULE, as(person("user"))), "pass");
    } finally {
      isCurrent = true;
    }
  });

  it("lets through whom a second factor was proved by where that is asked for, and no key whatever its scopes", async () => {
    const rule: Rule = { ...DEFAULT_RULE, mfa: true };
    assert.equal(await judge(rule, as(person("admin", { mfa: true }))), "pass");
    assert.equal(await judge(rule, as(person("admin"))), "step_up_required");
    assert.equal(await judge(rule, as(program("admin", ["*"]))), "insufficient_scope");
    assert.equal(await judge(rule, ABSENT), "unauthenticated");
    const fresh: Rule = { ...rule, freshWithinMs: 59_999 };
    assert.equal(await judge(fresh, as(person("admin", { mfa: true }))), "step_up_required");
  });

  it("is closed unless opened", async () => {
    assert.equal(await judge(DEFAULT_RULE, ABSENT), "unauthenticated");
    assert.equal(await judge(DEFAULT_RULE, rejected("access_token", "bad")), "token_invalid");
    assert.equal(await judge(DEFAULT_RULE, as(person("user"))), "pass");
    assert.equal(await judge(PUBLIC_RULE, ABSENT), "pass");
  });

  it("takes an optional credential only if it is valid, and a stale cookie as nobody", async () => {
    const optional: Rule = { ...DEFAULT_RULE, access: "optional" };
    assert.equal(await judge(optional, ABSENT), "pass");
    assert.equal(await judge(optional, rejected("session", "over", "unauthenticated")), "pass");
    assert.equal(await judge(optional, rejected("access_token", "bad")), "token_invalid");
  });

  it("orders roles, and can ask for exactly one", async () => {
    const table: readonly [Role, Role, string, string][] = [
      ["user", "admin", "insufficient_role", "insufficient_role"],
      ["moderator", "moderator", "pass", "pass"],
      ["admin", "moderator", "pass", "insufficient_role"],
    ];
    for (const [held, role, byRank, exactly] of table) {
      assert.equal(await judge({ ...DEFAULT_RULE, role }, as(person(held))), byRank);
      assert.equal(await judge({ ...DEFAULT_RULE, exactRole: role }, as(person(held))), exactly);
    }
  });

  it("lends no owner's rank to a key, and lets a key nowhere that is for people", async () => {
    const admins: Rule = { ...DEFAULT_RULE, role: "admin" };
    const scoped: Rule = { ...admins, scopes: ["admin:users:read"] };
    assert.equal(await judge(admins, as(program("admin", ["*"]))), "insufficient_scope");
    assert.equal(await judge(scoped, as(program("admin", []))), "insufficient_scope");
    assert.equal(await judge(scoped, as(program("admin", ["admin:*"]))), "pass");
    assert.equal(await judge(scoped, as(program("user", ["admin:*"]))), "insufficient_role");
    assert.equal(
      await judge({ ...DEFAULT_RULE, callers: "people" }, as(program("admin", ["*"]))),
      "insufficient_scope",
    );
  });

  it("holds a person's scope-limited token to its scopes, and an unlimited one to the role alone", async () => {
    const rule: Rule = { ...DEFAULT_RULE, scopes: ["jobs:write"] };
    assert.equal(await judge(rule, as(person("user"))), "pass");
    assert.equal(await judge(rule, as(person("user", { scopes: ["jobs:read"] }))), "insufficient_scope");
    assert.equal(await judge(rule, as(person("user", { scopes: ["jobs:*"] }))), "pass");
  });

  it("asks for a fresh sign-in", async () => {
    assert.equal(await judge({ ...DEFAULT_RULE, freshWithinMs: 60_000 }, as(person("user"))), "pass");
    assert.equal(
      await judge({ ...DEFAULT_RULE, freshWithinMs: 59_999 }, as(person("user"))),
      "step_up_required",
    );
  });

  it("says which sign-in would do (RFC 9470)", async () => {
    const challengeOf = async (rule: Rule) => {
      const exchange = new Exchange({ method: "GET" } as RequestView, rule, "id", {} as Client, NOW, []);
      exchange.outcome = as(person("user"));
      const decision = await guard.check(exchange);
      return decision.kind === "deny" ? decision.problem.headers?.[1] : decision.kind;
    };
    const error = 'Bearer realm="kyros", error="insufficient_user_authentication"';
    assert.equal(await challengeOf({ ...DEFAULT_RULE, freshWithinMs: 30_500 }), `${error}, max_age="30"`);
    assert.equal(
      await challengeOf({ ...DEFAULT_RULE, mfa: true }),
      `${error}, acr_values="http://schemas.openid.net/pape/policies/2007/06/multi-factor"`,
    );
  });

  it("takes nothing but true from a policy", async () => {
    const answers: readonly [unknown, string][] = [
      [true, "pass"],
      [false, "insufficient_role"],
      [undefined, "insufficient_role"],
      ["yes", "insufficient_role"],
      [Promise.resolve(true), "pass"],
      [Promise.resolve(1), "insufficient_role"],
    ];
    for (const [answer, expected] of answers) {
      assert.equal(
        await judge({ ...DEFAULT_RULE, policy: () => answer as boolean }, as(person("user"))),
        expected,
      );
    }
  });
});

describe("scopes", () => {
  it("cover by segment", () => {
    const table: readonly [string, string, boolean][] = [
      ["jobs:read", "jobs:read", true],
      ["jobs:read", "jobs:write", false],
      ["jobs:*", "jobs:run:cancel", true],
      ["jobs:*", "jobs", false],
      ["jobs:*:cancel", "jobs:run:cancel", true],
      ["jobs:*:cancel", "jobs:run:start", false],
      ["jobs", "jobs:read", false],
      ["job", "jobs", false],
      ["*", "anything:at:all", true],
    ];
    for (const [held, needed, covers] of table)
      assert.equal(scopeCovers(held, needed), covers, `${held} ${needed}`);
  });
});
