import type { RequestView } from "../../kernel/exchange.ts";

/** The request that a proxy asks about, as it tells of it. */
export interface OriginalRequest {
  readonly method: string;
  /** The request target as the client sent it: path and query. */
  readonly target: string;
  /** What the proxy says of scheme and host in a way of its own, in place of `X-Forwarded-Proto` and `-Host`. */
  readonly scheme?: string;
  readonly host?: string;
}

/** How one kind of proxy tells of a request: what it says, a word on what is wrong with it, or nothing of its kind. */
export type ReadOriginal = (view: RequestView) => OriginalRequest | { readonly fault: string } | undefined;

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A method and a target that come in a header each: both, and each once. */
export function readPair(
  view: RequestView,
  methodHeader: string,
  targetHeader: string,
): { readonly method: string; readonly target: string } | { readonly fault: string } | undefined {
  const methods = view.headerLines(methodHeader);
  const targets = view.headerLines(targetHeader);
  if (methods.length === 0 && targets.length === 0) return undefined;
  if (methods.length !== 1 || targets.length !== 1) {
    return { fault: `not exactly one ${methodHeader} and one ${targetHeader}` };
  }
  const method = methods[0]!;
  return METHOD.test(method) ? { method, target: targets[0]! } : { fault: `malformed ${methodHeader}` };
}
