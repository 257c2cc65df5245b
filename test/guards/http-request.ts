import fc from "fast-check";
import type { Client, RequestView } from "../../src/kernel/exchange.ts";
import { Exchange } from "../../src/kernel/exchange.ts";
import type { Decision } from "../../src/kernel/guard.ts";
import type { Rule } from "../../src/kernel/rule.ts";
import { DEFAULT_RULE } from "../../src/kernel/rule.ts";

/** A request as a test writes it; a header given as a list comes in several lines. */
export interface HttpRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly peerAddress?: string;
  readonly peerEncrypted?: boolean;
  readonly form?: Readonly<Record<string, string>>;
}

export function requestView(request: HttpRequest = {}): RequestView {
  const target = request.target ?? "/";
  const lines = (name: string): readonly string[] => {
    const value = Object.hasOwn(request.headers ?? {}, name) ? request.headers![name] : undefined;
    return value === undefined ? [] : typeof value === "string" ? [value] : value;
  };
  const { form } = request;
  return {
    method: request.method ?? "GET",
    target,
    path: target.split("?")[0]!,
    header: (name) => (lines(name).length === 0 ? undefined : lines(name).join(", ")),
    headerLines: lines,
    peerAddress: request.peerAddress ?? "203.0.113.7",
    peerEncrypted: request.peerEncrypted ?? false,
    ...(form && { formField: (name: string) => form[name] }),
  };
}

/** Any bytes at all, as Node presents those of a header: one character each. */
export const headerBytes = fc
  .uint8Array({ maxLength: 80 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));

export const NOW_MS = 1_800_000_000_000;

export function exchangeOf(
  request: HttpRequest = {},
  rule: Rule = DEFAULT_RULE,
  client: Partial<Client> = {},
): Exchange {
  const resolved: Client = {
    address: "203.0.113.7",
    scheme: "https",
    host: "kyros.example",
    viaTrustedProxy: false,
    ...client,
  };
  return new Exchange(requestView(request), rule, "request-1", resolved, NOW_MS, []);
}

/** The staged headers as pairs, in order. */
export function stagedPairs(exchange: Exchange): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < exchange.staged.length; i += 2) {
    pairs.push([exchange.staged[i]!, exchange.staged[i + 1]!]);
  }
  return pairs;
}

/** A decision in one word: `pass`, the code of a refusal, or the status of an answer. */
export function gist(decision: Decision | Promise<Decision>): string {
  if (decision instanceof Promise) throw new Error("a guard that needs no I/O answered with a promise");
  if (decision.kind === "pass") return "pass";
  return decision.kind === "deny" ? decision.problem.code : String(decision.answer.status);
}
