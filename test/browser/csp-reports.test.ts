import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import type { TestBrowser } from "./chromium.ts";
import { launchChromium, NO_CHROMIUM } from "./chromium.ts";
import type { TlsFront } from "./tls-front.ts";
import { startTlsFront } from "./tls-front.ts";
import { until } from "./watch-page.ts";

const BODY = '<!doctype html><title>Violation</title><img src="https://evil.example/pixel.png?secret=1">';
const HEADERS = ["content-security-policy", "content-security-policy-report-only", "reporting-endpoints"];

describe("a page that violates the policy, in Chromium", { skip: NO_CHROMIUM }, () => {
  let service: TestService;
  let front: TlsFront;
  let chromium: TestBrowser;
  const mediaTypes: string[] = [];
  before(async () => {
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_METRICS_PORT: "0" });
    front = await startTlsFront({ host: "localhost", target: service.url, page: violation });
    chromium = await launchChromium([front]);
  });
  after(async () => {
    await chromium?.close();
    await front?.stop();
    await service?.stop();
  });

  /** A page under exactly the policy that the service sends; `/old/…` as a browser without the Reporting API has it. */
  async function violation(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (request.url === "/security/csp-report") mediaTypes.push(request.headers["content-type"] ?? "");
    if (!/^\/(old|new)\//.test(request.url!)) return false;
    const answer = await fetch(`${service.url}/healthz`);
    await answer.arrayBuffer();
    response.setHeader("content-type", "text/html");
    for (const name of HEADERS) {
      const value = answer.headers.get(name);
      if (value === null) continue;
      if (request.url!.startsWith("/new/")) response.setHeader(name, value);
      else if (name !== "reporting-endpoints") response.setHeader(name, value.replace(/; report-to .*$/, ""));
    }
    response.end(BODY);
    return true;
  }

  async function reported(path: string) {
    const page = await chromium.browser.newPage();
    await page.goto(`${front.origin}${path}`);
    const event = await until(`a report of ${path}`, () =>
      service.events.find(({ details }) => String(details?.["document"]).endsWith(path)),
    );
    await page.close();
    return event;
  }

  it("is reported through report-uri, as application/csp-report", async () => {
    const event = await reported("/old/page");
    assert.equal(event.name, "csp.violation");
    assert.deepEqual(event.details, {
      document: `${front.origin}/old/page`,
      directive: "img-src",
      blocked: "https://evil.example/pixel.png",
      disposition: "enforce",
    });
    assert.ok(mediaTypes.includes("application/csp-report"), mediaTypes.join());
  });

  it("is reported through report-to and Reporting-Endpoints, as application/reports+json", async () => {
    const event = await reported("/new/page");
    assert.deepEqual(event.details, {
      document: `${front.origin}/new/page`,
      directive: "img-src",
      blocked: "https://evil.example/pixel.png",
      disposition: "enforce",
    });
    assert.ok(mediaTypes.includes("application/reports+json"), mediaTypes.join());
  });

  it("is told once however often it is opened, and the metrics have counted the rest", async () => {
    const told = () => service.events.filter(({ name }) => name === "csp.violation").length;
    const before = told();
    await reported("/old/page");
    await until(
      "the repetition in the metrics",
      () => mediaTypes.filter((type) => /csp-report$/.test(type)).length >= 2,
    );
    const text = await (await fetch(service.metricsUrl!)).text();
    assert.match(text, /^kyros_csp_reports_total\{outcome="told"\} 2$/m);
    assert.match(text, /^kyros_security_events_total\{event="csp\.violation"\} 2$/m);
    assert.equal(told(), before);
  });
});
