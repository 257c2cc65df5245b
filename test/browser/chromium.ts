import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import puppeteer from "puppeteer-core";
import type { TlsFront } from "./tls-front.ts";

const EXECUTABLES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Why browser tests cannot run here, or `false`: for the `skip` of a suite, which prints it. */
export const NO_CHROMIUM: string | false =
  executable() === undefined && "no Chromium here: apt-get install chromium";

export interface TestBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/**
 * A fresh Chromium that takes the fronts' certificates for valid ones (a certificate merely overlooked would switch
 * the Reporting API off), sends reports at once instead of once a minute, and talks to nobody on its own.
 */
export async function launchChromium(fronts: readonly TlsFront[]): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "kyros-chromium-"));
  const browser = await puppeteer.launch({
    executablePath: executable()!,
    headless: true,
    userDataDir: profile,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      `--ignore-certificate-errors-spki-list=${fronts.map(({ keyDigest }) => keyDigest).join(",")}`,
      "--short-reporting-delay",
      "--disable-background-networking",
      "--disable-gpu",
      "--disable-dev-shm-usage",
    ],
  });
  return {
    browser,
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function executable(): string | undefined {
  return EXECUTABLES.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
