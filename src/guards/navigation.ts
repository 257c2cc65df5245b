import type { RequestView } from "../kernel/exchange.ts";

/**
 * Whether a browser asks for a page to show. Browsers send `Sec-Fetch-*` over plain HTTP to loopback hosts only;
 * elsewhere `Accept` has to do.
 */
export function isNavigation(view: RequestView): boolean {
  if (view.method !== "GET" && view.method !== "HEAD") return false;
  const mode = view.header("sec-fetch-mode");
  if (mode !== undefined) return mode === "navigate";
  return view.header("accept")?.toLowerCase().includes("text/html") === true;
}
