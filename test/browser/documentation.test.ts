import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import type { TestBrowser } from "./chromium.ts";
import { launchChromium, NO_CHROMIUM } from "./chromium.ts";
import { watchPage } from "./watch-page.ts";

describe("GET /docs in Chromium", { skip: NO_CHROMIUM }, () => {
  let service: TestService;
  let chromium: TestBrowser;
  before(async () => {
    service = await runService();
    chromium = await launchChromium([]);
  });
  after(async () => {
    await chromium?.close();
    await service?.stop();
  });

  it("shows every operation, and violates no policy and logs no error while it does", async () => {
    const { page, complaints } = await watchPage(chromium.browser);
    await page.goto(`${service.url}/docs`);
    await page.waitForSelector(".opblock", { timeout: 20_000 });
    const shown = await page.$$eval(".opblock", (blocks) => blocks.length);
    const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    assert.equal(shown, Object.values(paths).flatMap((path) => Object.keys(path)).length);

    await page.click(".opblock-summary-control");
    await page.waitForSelector(".opblock.is-open .opblock-body", { timeout: 20_000 });
    // Chromium on Linux knows no Bluetooth, and so no policy for it; elsewhere it does.
    const ours = complaints.filter((text) => !/Unrecognized feature: 'bluetooth'/.test(text));
    assert.deepEqual(ours, []);
    assert.deepEqual(
      service.events.filter(({ name }) => name === "csp.violation"),
      [],
    );
  });
});
