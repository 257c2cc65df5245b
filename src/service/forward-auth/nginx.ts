import type { ReadOriginal } from "./original-request.ts";
import { readPair } from "./original-request.ts";

const ABSOLUTE = /^(https?):\/\/([^/?#@\s]+)(\/.*)?$/;

/**
 * The `auth_request` of nginx and of its Kubernetes ingress: `X-Original-Method`, and `X-Original-URL` with the whole
 * URL or its path and query.
 */
export const readNginx: ReadOriginal = (view) => {
  const pair = readPair(view, "x-original-method", "x-original-url");
  if (pair === undefined || "fault" in pair || pair.target.startsWith("/")) return pair;
  const match = ABSOLUTE.exec(pair.target);
  if (match === null) return { fault: "malformed x-original-url" };
  const [, scheme = "", host = "", target = "/"] = match;
  return { method: pair.method, target, scheme, host };
};
