import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GateRule } from "../../src/guards/gate-rule.ts";
import { formatGateRule, parseGateRule } from "../../src/guards/gate-rule.ts";

const any = { methods: [], exact: false };

describe("a rule of the gate", () => {
  const read: readonly (readonly [text: string, rule: GateRule, shown?: string])[] = [
    ["/ public", { ...any, path: "/", need: { access: "public" } }],
    ["/assets/ public", { ...any, path: "/assets", need: { access: "public" } }, "/assets public"],
    ["=/ optional", { ...any, exact: true, path: "/", need: { access: "optional" } }],
    ["/never nobody", { ...any, path: "/never", need: { access: "nobody" } }],
    ["/jobs user", { ...any, path: "/jobs", need: { access: "user" } }],
    ["/jobs people", { ...any, path: "/jobs", need: { access: "user", callers: "people" } }],
    ["/admin role:admin", { ...any, path: "/admin", need: { access: "user", role: "admin" } }],
    [
      "GET+POST /jobs scope:jobs:read scope:a:*",
      {
        ...any,
        methods: ["GET", "POST"],
        path: "/jobs",
        need: { access: "user", scopes: ["jobs:read", "a:*"] },
      },
    ],
    [
      "app.example/x people role:moderator",
      {
        ...any,
        host: "app.example",
        path: "/x",
        need: { access: "user", role: "moderator", callers: "people" },
      },
    ],
    [
      "=[2001:db8::1]/x public",
      { methods: [], exact: true, host: "[2001:db8::1]", path: "/x", need: { access: "public" } },
    ],
  ];
  for (const [text, rule, shown = text] of read) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parseGateRule(text), rule);
      assert.equal(formatGateRule(rule), shown);
    });
  }

  const refused = [
    ...["", "public", "/x", "x public", "GET", "GET public", "/x everybody", "/x Public", "/x public user"],
    ...[
      "/x role:root",
      "/x role:admin role:user",
      "/x scope:",
      "/x scope:A",
      "/x people people",
      "/x public role:admin",
    ],
    ...[
      "/../x public",
      "/x/. public",
      "//x public",
      "/x//y public",
      "/%61 public",
      "/a;b public",
      "/a\\b public",
    ],
    ...[
      "/x?y public",
      "/x#y public",
      "/x. public",
      "/ü public",
      "get /x public",
      "GET,POST /x public",
      "GET+ /x public",
    ],
    ...[
      "App.example/x public",
      "app.example:443/x public",
      "app.example./x public",
      "https://app.example/x public",
      "*/x public",
    ],
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}, without repeating it`, () => {
      const rule = parseGateRule(text);
      assert.ok("fault" in rule);
      if (text !== "" && !"public".startsWith(text)) assert.ok(!rule.fault.includes(text));
    });
  }
});
