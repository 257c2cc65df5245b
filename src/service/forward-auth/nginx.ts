import type { OriginalRequest, ReadOriginal } from "./original-request.ts";
import { readPair } from "./original-request.ts";

const ABSOLUTE = /^(https?):\/\/([^/?#@\s]+)(\/.*)?$/;

/**
 * The `auth_request` of nginx and of its Kubernetes ingress: `X-Original-Method`, and `X-Original-URL` with the whole
 * URL or its path and query, or `X-Original-URI` with the latter. Where both come, they are alike.
 */
export const readNginx: ReadOriginal = (view) => {
  const uris = view.headerLines("x-original-uri");
  const isWhole = uris.length === 0 || view.headerLines("x-original-url").length > 0;
  const pair = readPair(view, "x-original-method", isWhole ? "x-original-url" : "x-original-uri");
  const told = pair === undefined || "fault" in pair || pair.target.startsWith("/") ? pair : readUrl(pair);
  if (told === undefined || "fault" in told) return told;
  return uris.every((uri) => uri === told.target)
    ? told
    : { fault: "x-original-url and x-original-uri differ" };
};

function readUrl({ method, target: url }: OriginalRequest): ReturnType<ReadOriginal> {
  const match = ABSOLUTE.exec(url);
  if (match === null) return { fault: "malformed x-original-url" };
  const [, scheme = "", host = "", target = "/"] = match;
  return { method, target, scheme, host };
}
