import assert from "node:assert/strict";
import type { Express } from "express";
import express from "express";
import { kyrosExpress } from "../../src/adapters/express.ts";
import type { Kyros } from "../../src/index.ts";
import { serve } from "./guarded-app.ts";

export type Ask = readonly [
  path: string,
  headers: Record<string, string>,
  status: number,
  init?: RequestInit,
];

/** Builds an app behind the guards and asks it one thing after the other; every answer carries what is staged. */
export async function checkStatuses(
  kyros: Kyros,
  build: (app: Express) => void,
  asks: readonly Ask[],
): Promise<void> {
  const app = express();
  kyrosExpress(app, { kyros: kyros });
  build(app);
  await serve(app, async (url) => {
    for (const [path, headers, status, init] of asks) {
      const response = await fetch(url + path, { redirect: "manual", ...init, headers });
      const text = await response.text();
      assert.equal(response.status, status, `${init?.method ?? "GET"} ${path}: ${text}`);
      assert.ok(response.headers.get("content-security-policy"), `${path} carries what is staged`);
      assert.equal(response.headers.get("x-powered-by"), null);
      if (status >= 400)
        assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
    }
  });
}
