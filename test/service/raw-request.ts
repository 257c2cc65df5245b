import { connect } from "node:net";

export interface RawAnswer {
  readonly status: number;
  /** Everything before the body, as it came. */
  readonly head: string;
  readonly body: string;
}

/**
 * Sends bytes as they are and reads until the service closes: ask for `connection: close`. With `end`, the sending side
 * is closed at once, for bytes that may be no whole request. `undefined` where the connection closed without an answer.
 */
export function sendRaw(
  url: string,
  bytes: string | Uint8Array,
  end = false,
): Promise<RawAnswer | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      if (end) socket.end(bytes);
      else socket.write(bytes);
    });
    socket.on("data", (chunk) => chunks.push(chunk));
    // A service that refuses early resets what is still being sent: what was read until then counts.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(readAnswer(Buffer.concat(chunks).toString("latin1"))));
  });
}

/** A request with the header lines that every one needs; `lines` come as they are. */
export function rawRequest(
  method: string,
  path: string,
  lines: readonly string[] = [],
  body: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = [
    `${method} ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    "connection: close",
    ...lines,
    ...(body.length > 0 ? [`content-length: ${body.length}`] : []),
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

function readAnswer(text: string): RawAnswer | undefined {
  const match = /^HTTP\/1\.1 (\d{3}) /.exec(text);
  if (match === null) return undefined;
  const end = text.indexOf("\r\n\r\n");
  return { status: Number(match[1]), head: text.slice(0, end), body: text.slice(end + 4) };
}
