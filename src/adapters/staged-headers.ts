import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Exchange } from "../kernel/exchange.ts";

type HeaderArgument = OutgoingHttpHeaders | readonly OutgoingHttpHeader[];

interface StagedResponse extends ServerResponse {
  [STAGED]?: Exchange;
}

const STAGED = Symbol("kyros.staged");

/** Whether what is staged under a name goes beside what a handler sets; elsewhere the handler has the last word. */
export function isAdded(name: string): boolean {
  return name === "set-cookie" || name === "vary";
}

/**
 * Makes a node:http response carry what is staged on its exchange, whoever writes its head and however: the handler,
 * the framework, or node itself at the first byte. The staged headers join at `writeHead`, as one flat list, because
 * one `setHeader` each costs a request more than all guards together; what the handler sets itself comes first.
 */
export function carryStaged(response: ServerResponse, exchange: Exchange): void {
  (response as StagedResponse)[STAGED] = exchange;
  response.writeHead = writeHeadWithStaged;
}

function writeHeadWithStaged(
  this: ServerResponse,
  status: number,
  reasonOrHeaders?: string | HeaderArgument,
  headersAfterReason?: HeaderArgument,
): ServerResponse {
  const hasReason = typeof reasonOrHeaders === "string";
  // As node:http reads it: a reason that is left out may still stand before the headers, as `undefined`.
  const own = flatten(headersAfterReason ?? (hasReason ? undefined : reasonOrHeaders));
  const exchange = (this as StagedResponse)[STAGED]!;
  exchange.observer?.answered(exchange, status);
  const { staged } = exchange;
  const setBefore = this.getHeaderNames().length > 0;
  const ownLength = own.length;
  for (let i = 0; i < staged.length; i += 2) {
    const name = staged[i]!;
    const isWritten = isAmong(name, own, ownLength);
    const isSet = setBefore && !isWritten && this.hasHeader(name);
    if (isAdded(name)) {
      // What stands in the list replaces what was set before.
      if (isSet && !isAmong(name, own, own.length))
        for (const line of [this.getHeader(name)!].flat()) own.push(name, line);
    } else if (isWritten || isSet) continue;
    own.push(name, staged[i + 1]!);
  }
  const writeHead = Object.getPrototypeOf(this).writeHead as (...args: unknown[]) => ServerResponse;
  return hasReason ? writeHead.call(this, status, reasonOrHeaders, own) : writeHead.call(this, status, own);
}

function flatten(given: HeaderArgument | undefined): OutgoingHttpHeader[] {
  const flat: OutgoingHttpHeader[] = [];
  if (given === undefined || given === null) return flat;
  if (Array.isArray(given)) return Array.isArray(given[0]) ? given.flat() : given.slice();
  const headers = given as OutgoingHttpHeaders;
  for (const name in headers) {
    const value = headers[name];
    // Several cookies in one value are several lines; any other list is node's to join.
    if (Array.isArray(value)) for (const line of value) flat.push(name, line);
    else if (value !== undefined) flat.push(name, value);
  }
  return flat;
}

function isAmong(name: string, flat: readonly OutgoingHttpHeader[], length: number): boolean {
  for (let i = 0; i < length; i += 2) {
    const own = flat[i] as string;
    if (own.length === name.length && (own === name || own.toLowerCase() === name)) return true;
  }
  return false;
}
