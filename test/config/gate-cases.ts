import type { VariableCase } from "./variable-cases.ts";

/** Cases of the settings of the gate before other services. */
export const GATE_CASES: readonly VariableCase[] = [
  {
    name: "gateRules",
    variable: "KYROS_GATE_RULES",
    accepted: [
      ["/assets public", [{ methods: [], path: "/assets", exact: false, need: { access: "public" } }]],
      [
        "=/ public, GET app.example/jobs scope:jobs:read",
        [
          { methods: [], path: "/", exact: true, need: { access: "public" } },
          {
            methods: ["GET"],
            host: "app.example",
            path: "/jobs",
            exact: false,
            need: { access: "user", scopes: ["jobs:read"] },
          },
        ],
      ],
    ],
    refused: [
      "public",
      "/assets",
      "/assets everybody",
      "/a public,",
      "/a public,/a/ user",
      "/a public,/A user",
      "GET /a public,GET+POST /a user",
      "/a/../b public",
      "https://app.example/ public",
    ],
  },
  {
    name: "loginUrl",
    variable: "KYROS_LOGIN_URL",
    accepted: ["/login", "/login?from=gate", "https://id.example", "https://id.example:8443/in?a=b"].map(
      (url) => [url, url] as const,
    ),
    refused: [
      "login",
      "//evil.example",
      "/\\evil.example",
      "/a/../b",
      "/login#x",
      "http://id.example/login",
      "javascript:alert(1)",
      "https:/id.example",
      "https://u:p@id.example/",
      "https://id.example/#x",
    ],
  },
];
