import type { RequestView } from "../../kernel/exchange.ts";
import type { OriginalRequest } from "./original-request.ts";

/** Answered by whoever serves the request: a 204 of the gate's own would let a preflight through unjudged. */
const NOT_FOR_THE_GATE = "access-control-request-method";

/**
 * The request that a proxy asks about, as the guards see it: method and target as the proxy tells them, its headers and
 * connection as they came.
 */
export class ForwardedView implements RequestView {
  readonly #view: RequestView;
  readonly #told: ReadonlyMap<string, string>;
  readonly method: string;
  readonly target: string;
  readonly path: string;

  constructor(view: RequestView, { method, target, scheme, host }: OriginalRequest) {
    this.#view = view;
    this.method = method;
    this.target = target;
    const query = target.indexOf("?");
    this.path = query < 0 ? target : target.slice(0, query);
    const told = new Map<string, string>();
    if (scheme !== undefined) told.set("x-forwarded-proto", scheme);
    if (host !== undefined) told.set("x-forwarded-host", host);
    this.#told = told;
  }

  header(name: string): string | undefined {
    if (name === NOT_FOR_THE_GATE) return undefined;
    const value = this.#told.get(name) ?? this.#view.header(name);
    // Some proxies keep `Upgrade` to themselves; a WebSocket handshake (RFC 6455 section 4.1) is one without it too.
    if (
      value === undefined &&
      name === "upgrade" &&
      this.#view.header("sec-websocket-version") !== undefined
    ) {
      return "websocket";
    }
    return value;
  }

  headerLines(name: string): readonly string[] {
    if (name === NOT_FOR_THE_GATE) return [];
    const told = this.#told.get(name);
    return told === undefined ? this.#view.headerLines(name) : [told];
  }

  get peerAddress(): string {
    return this.#view.peerAddress;
  }

  get peerEncrypted(): boolean {
    return this.#view.peerEncrypted;
  }
}
