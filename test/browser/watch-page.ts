import type { Browser, Page } from "puppeteer-core";

export interface WatchedPage {
  readonly page: Page;
  /** Errors of the console, of scripts and of requests, and violations of the policy, as the browser tells them. */
  readonly complaints: readonly string[];
}

/** Opens a page and writes down all that it complains of. */
export async function watchPage(browser: Browser): Promise<WatchedPage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warn") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));
  await page.evaluateOnNewDocument(`
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error("violation of " + event.effectiveDirective + " by " + event.blockedURI);
    });
  `);
  return { page, complaints };
}

/** Waits until something is there; fails by its name after 20 s. */
export async function until<T>(what: string, find: () => T | undefined | false): Promise<T> {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    const found = find();
    if (found) return found;
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
