import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";

/** A violation of the Content-Security-Policy, as far as a browser's word is kept. */
export interface CspReport {
  readonly document: string;
  readonly directive: string;
  readonly blocked: string;
  readonly disposition: string;
}

/** A page can make a browser send many at once; a batch tells no more than its first few. */
const MOST_REPORTS = 20;
const MOST_TEXT = 256;

/**
 * Reads the reports of a body in either form: `application/csp-report` (CSP Level 2, one object under `csp-report`) or
 * `application/reports+json` (Reporting API, a list). Reports of other types are passed over. A body of neither form
 * is refused (`validation_failed`).
 */
export function readCspReports(body: unknown): readonly CspReport[] {
  if (Array.isArray(body)) {
    return body
      .slice(0, MOST_REPORTS)
      .filter((entry) => isRecord(entry) && entry["type"] === "csp-violation" && isRecord(entry["body"]))
      .map((entry) => {
        const report = (entry as { body: Record<string, unknown> }).body;
        return {
          document: text(report["documentURL"]),
          directive: text(report["effectiveDirective"]),
          blocked: text(report["blockedURL"]),
          disposition: text(report["disposition"]),
        };
      });
  }
  if (isRecord(body) && isRecord(body["csp-report"])) {
    const report = body["csp-report"];
    return [
      {
        document: text(report["document-uri"]),
        directive: text(report["effective-directive"] ?? report["violated-directive"]),
        blocked: text(report["blocked-uri"]),
        disposition: text(report["disposition"]),
      },
    ];
  }
  throw new Refusal(problem("validation_failed", "The body is no report of a Content-Security-Policy."));
}

/** A query or fragment may hold a secret of the page's: URLs are kept without them. */
function text(value: unknown): string {
  if (typeof value !== "string") return "";
  return value.split(/[?#]/, 1)[0]!.slice(0, MOST_TEXT);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
