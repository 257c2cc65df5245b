import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GateRule } from "../../src/guards/gate-rule.ts";
import { parseGateRule } from "../../src/guards/gate-rule.ts";
import { createGatePolicy } from "../../src/service/forward-auth/gate-policy.ts";

function policyOf(...texts: readonly string[]) {
  return createGatePolicy(
    texts.map((text) => parseGateRule(text) as GateRule),
    undefined,
  );
}
const shown = (rule: ReturnType<ReturnType<typeof policyOf>>) =>
  rule === undefined
    ? "ambiguous"
    : rule.refusal
      ? "nobody"
      : (rule.role ?? rule.scopes?.join() ?? rule.access);

describe("the policy of the gate", () => {
  const policy = policyOf(
    ...[
      "/assets public",
      "=/ public",
      "/assets/private user",
      "/admin role:admin",
      "/Files scope:files:read",
    ],
    ...[
      "GET /jobs scope:jobs:read",
      "/jobs role:moderator",
      "POST /hooks public",
      "app.example/admin nobody",
    ],
    ...["app.example/ optional"],
  );
  const cases: readonly (readonly [place: string, verdict: string])[] = [
    ["/", "public"],
    ["/x", "user"],
    ["/assets", "public"],
    ["/assets/", "public"],
    ["/assets/a/b", "public"],
    ["/assetsx", "user"],
    ["/assets/private", "user"],
    ["/assets/private/x", "user"],
    ["/admin", "admin"],
    ["/admin/x", "admin"],
    ["/administrator", "user"],
    ["GET /jobs/1", "jobs:read"],
    ["HEAD /jobs/1", "jobs:read"],
    ["POST /jobs/1", "moderator"],
    ["get /jobs/1", "moderator"],
    ["POST /hooks", "public"],
    ["GET /hooks", "user"],
    ["/Files/a", "files:read"],
    // Another rule in another reading: which one would hold is the service's choice.
    ["/Admin", "ambiguous"],
    ["/ADMIN/x", "ambiguous"],
    ["/x//admin", "user"],
    ["/admin./x", "ambiguous"],
    ["/admin /x", "ambiguous"],
    ["/ａdmin", "ambiguous"],
    ["/files/a", "ambiguous"],
    ["/ASSETS/a", "ambiguous"],
    ["/assets//private", "ambiguous"],
    ["/assets/Private", "ambiguous"],
    ["/assets/a//b", "public"],
    ["/X", "user"],
    ["app.example/x", "optional"],
    ["app.example/admin", "nobody"],
    ["app.example/assets", "optional"],
    ["other.example/admin", "admin"],
  ];
  for (const [place, verdict] of cases) {
    it(`finds ${place}: ${verdict}`, () => {
      const [, method = "GET", host, path] = /^(?:([A-Za-z]+) )?([a-z.]*)(\/.*)$/.exec(place)!;
      assert.equal(shown(policy(host === "" ? "any.example" : host!, method, path!)), verdict);
    });
  }

  it("asks for a signed-in user where nothing is declared", () => {
    assert.equal(shown(policyOf()("a.example", "GET", "/")), "user");
  });

  it("does not depend on the order of the rules", () => {
    const texts = ["/ public", "/a user", "=/a public", "/a/b role:admin", "GET /a/b public"];
    const one = policyOf(...texts);
    const other = policyOf(...texts.toReversed());
    for (const path of ["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab"]) {
      for (const method of ["GET", "POST"]) {
        assert.equal(shown(one("h", method, path)), shown(other("h", method, path)), `${method} ${path}`);
      }
    }
  });
});
