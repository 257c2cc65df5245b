import type { RequestView } from "../kernel/exchange.ts";

/** A request of the Fetch standard as the guards see it. `peerAddress` is of the connection, told by the host. */
export class FetchView implements RequestView {
  readonly #request: Request;
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly peerAddress: string;
  readonly peerEncrypted: boolean;

  constructor(request: Request, peerAddress: string) {
    this.#request = request;
    this.method = request.method;
    const { url } = request;
    this.peerEncrypted = url.startsWith("https:");
    const slash = url.indexOf("/", url.indexOf("//") + 2);
    this.target = slash < 0 ? "/" : url.slice(slash);
    const query = this.target.indexOf("?");
    this.path = query < 0 ? this.target : this.target.slice(0, query);
    this.peerAddress = peerAddress;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  /** The Fetch standard joins lines and keeps no note of where they were parted: one line stands for all. */
  headerLines(name: string): readonly string[] {
    const value = this.#request.headers.get(name);
    return value === null ? [] : [value];
  }
}
