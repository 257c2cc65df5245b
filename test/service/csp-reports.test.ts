import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PROBLEMS } from "../../src/kernel/problem.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const LEVEL_2 = "application/csp-report";
const REPORTING = "application/reports+json";

const entry = (documentURL: string) => ({
  type: "csp-violation",
  age: 1,
  url: documentURL,
  user_agent: "Mozilla/5.0",
  body: { documentURL, effectiveDirective: "img-src", blockedURL: "inline", disposition: "enforce" },
});

describe("POST /security/csp-report", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  async function report(type: string, body: unknown, headers: Record<string, string> = {}) {
    const { length } = service.events;
    const response = await fetch(`${service.url}/security/csp-report`, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const events = service.events.slice(length).filter(({ name }) => name === "csp.violation");
    return {
      status: response.status,
      text: await response.text(),
      details: events.map((one) => one.details),
    };
  }

  it("takes the report of CSP Level 2, and keeps its URLs without query and fragment", async () => {
    const body = {
      "csp-report": {
        "document-uri": "https://app.example/page?token=hidden#part",
        "violated-directive": "script-src 'self'",
        "effective-directive": "script-src",
        "blocked-uri": "https://evil.example/x.js?session=hidden",
        disposition: "report",
        "original-policy": "default-src 'none'",
      },
    };
    assert.deepEqual(await report(LEVEL_2, body), {
      status: 204,
      text: "",
      details: [
        {
          document: "https://app.example/page",
          directive: "script-src",
          blocked: "https://evil.example/x.js",
          disposition: "report",
        },
      ],
    });
  });

  it("takes the violated directive where no effective one is named", async () => {
    const { details } = await report(LEVEL_2, { "csp-report": { "violated-directive": "style-src" } });
    assert.deepEqual(details, [{ document: "", directive: "style-src", blocked: "", disposition: "" }]);
  });

  it("takes a list of the Reporting API, and passes over what is no violation", async () => {
    const body = [
      entry("https://app.example/?q=1"),
      { ...entry("https://app.example/"), type: "deprecation" },
      null,
      "csp-violation",
      { type: "csp-violation" },
      entry("https://app.example/two"),
    ];
    const { status, details } = await report(REPORTING, body);
    assert.equal(status, 204);
    assert.deepEqual(
      details.map((one) => one?.["document"]),
      ["https://app.example/", "https://app.example/two"],
    );
  });

  it("keeps a few of many, and each short", async () => {
    const { status, details } = await report(
      REPORTING,
      Array.from({ length: 50 }, (_, n) => entry(`https://app.example/${n}/${"a".repeat(400)}`)),
    );
    assert.equal(status, 204);
    assert.equal(details.length, 20);
    for (const one of details) assert.equal(String(one?.["document"]).length, 256);
  });

  it("tells the same violation once, whichever form it comes in and whatever the query or path of what was blocked", async () => {
    const page = "https://app.example/repeated";
    const level2 = (blocked: string) => ({
      "csp-report": {
        "document-uri": page,
        "effective-directive": "img-src",
        "blocked-uri": blocked,
        disposition: "enforce",
      },
    });
    const reporting = [entry(page)].map((one) => ({
      ...one,
      body: { ...one.body, blockedURL: "https://evil.example/c.png" },
    }));
    assert.equal((await report(LEVEL_2, level2("https://evil.example/a.png?1"))).details.length, 1);
    assert.deepEqual((await report(LEVEL_2, level2("https://evil.example/b.png"))).details, []);
    assert.deepEqual((await report(REPORTING, reporting)).details, []);
    assert.equal((await report(LEVEL_2, level2("https://other.example/a.png"))).details.length, 1);
  });

  it("takes them from any page, with or without a cookie: there is nothing to forge", async () => {
    const headers = {
      "sec-fetch-site": "cross-site",
      origin: "null",
      cookie: `kyros_session=${"A".repeat(43)}`,
    };
    assert.equal((await report(REPORTING, [entry("https://app.example/")], headers)).status, 204);
  });

  it("refuses other media types", async () => {
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
      const { status, text, details } = await report(type, { "csp-report": {} });
      assert.equal(status, 415, type);
      assert.equal(JSON.parse(text).code, "unsupported_media_type");
      assert.deepEqual(details, []);
    }
  });

  it("refuses a body that is no report", async () => {
    for (const body of [
      "",
      "{",
      "{}",
      "null",
      "1",
      '"csp-report"',
      '{"csp-report":[]}',
      '{"csp-report":null}',
    ]) {
      const { status, text, details } = await report(LEVEL_2, body);
      assert.equal(status, PROBLEMS.validation_failed.status, body);
      assert.equal(JSON.parse(text).code, "validation_failed");
      assert.deepEqual(details, []);
    }
  });

  it("refuses a body that is too large", async () => {
    const { status, text } = await report(REPORTING, [entry("a".repeat(70_000))]);
    assert.equal(status, 413);
    assert.equal(JSON.parse(text).code, "payload_too_large");
  });
});
