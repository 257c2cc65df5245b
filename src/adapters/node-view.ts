import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { RequestView } from "../kernel/exchange.ts";

/** A node:http request as the guards see it. Shared by the adapters whose host stands on node:http. */
export class NodeView implements RequestView {
  readonly #request: IncomingMessage;
  readonly method: string;
  readonly target: string;
  readonly path: string;

  constructor(request: IncomingMessage) {
    this.#request = request;
    this.method = request.method ?? "GET";
    this.target = request.url ?? "/";
    const query = this.target.indexOf("?");
    this.path = query < 0 ? this.target : this.target.slice(0, query);
  }

  /**
   * From the raw lines where there is one line at most: node:http would first make an object of all headers. What
   * several lines mean depends on the name, and that is node's to say.
   */
  header(name: string): string | undefined {
    const raw = this.#request.rawHeaders;
    let found: string | undefined;
    for (let i = 0; i < raw.length; i += 2) {
      if (!isNamed(raw[i]!, name)) continue;
      if (found !== undefined) return this.#joined(name);
      found = raw[i + 1]!;
    }
    return found;
  }

  #joined(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === "string" || value === undefined ? value : value.join(", ");
  }

  /** From the raw lines: node:http drops or joins repeated ones, depending on the name. */
  headerLines(name: string): readonly string[] {
    const raw = this.#request.rawHeaders;
    const lines: string[] = [];
    for (let i = 0; i < raw.length; i += 2) {
      if (isNamed(raw[i]!, name)) lines.push(raw[i + 1]!);
    }
    return lines;
  }

  get peerAddress(): string {
    return this.#request.socket.remoteAddress ?? "";
  }

  get peerEncrypted(): boolean {
    return (this.#request.socket as TLSSocket).encrypted === true;
  }
}

function isNamed(key: string, name: string): boolean {
  return key.length === name.length && (key === name || key.toLowerCase() === name);
}
