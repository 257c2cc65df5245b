import type { VariableCase } from "./variable-cases.ts";

/** Cases of the settings of the log and the audit trail. */
export const RECORD_CASES: readonly VariableCase[] = [
  {
    name: "logLevel",
    variable: "KYROS_LOG_LEVEL",
    accepted: ["fatal", "error", "warn", "info", "debug", "trace"].map((level) => [level, level]),
    refused: ["silent", "INFO", "warning", "verbose", "30"],
  },
  {
    name: "auditRetentionMs",
    variable: "KYROS_AUDIT_RETENTION",
    accepted: [
      ["1d", 86_400_000],
      ["24h", 86_400_000],
      ["400d", 400 * 86_400_000],
    ],
    refused: ["0", "1h", "400", "forever", "36526d"],
  },
  {
    name: "auditSinks",
    variable: "KYROS_AUDIT_SINK",
    accepted: [
      ["syslog+tls://siem.example:6514", ["syslog+tls://siem.example:6514"]],
      [
        "file:/var/log/kyros.jsonl, syslog+tcp://127.0.0.1",
        ["file:/var/log/kyros.jsonl", "syslog+tcp://127.0.0.1"],
      ],
    ],
    refused: [
      "syslog://siem.example",
      "syslog+tcp://siem.example:514",
      "syslog+tls://",
      "syslog+tls://siem.example/path",
      "http://siem.example/hook",
      "http://127.0.0.1.example/hook",
      "https://user:password@siem.example/hook",
      "file:relative",
      "file:///var/log/kyros",
      "/var/log/kyros",
      "file:/a,file:/a",
    ],
  },
];
