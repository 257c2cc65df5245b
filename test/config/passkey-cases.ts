import type { VariableCase } from "./variable-cases.ts";

export const PASSKEY_CASES: readonly VariableCase[] = [
  {
    name: "passkeyOrigins",
    variable: "KYROS_PASSKEY_ORIGINS",
    accepted: [
      ["off", []],
      ["https://example.com", ["https://example.com"]],
      [
        "https://example.com, https://app.example.com:8443",
        ["https://example.com", "https://app.example.com:8443"],
      ],
      ["http://localhost:3000", ["http://localhost:3000"]],
    ],
    refused: [
      "on",
      "*",
      "https://example.com/",
      "https://example.com,off",
      "http://example.com",
      "https://192.0.2.1",
      "https://[2001:db8::1]",
      "https://app.example.com,https://example.com",
      "https://example.com,https://example.org",
      "https://example.com,https://notexample.com",
    ],
  },
];
