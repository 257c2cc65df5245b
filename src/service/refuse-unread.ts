import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Problem } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";

const MALFORMED = problem("validation_failed", "This is not an HTTP request that can be read.");
const TOO_LARGE = problem("payload_too_large", "The request's header section is too large.", { status: 431 });
const TOO_SLOW = problem("validation_failed", "The request did not arrive in time.", { status: 408 });

/** An answer that ends a connection has this long to be taken (ms). */
const GOODBYE_MS = 1000;

/** Answers bytes that node could not read as a request, and closes the connection: what follows them is anyone's. */
export function refuseUnread(pipeline: Pipeline, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  closeWith(pipeline, refusalOf(error.code), socket);
}

/** Answers on the socket itself, where there is no response to write to, and closes the connection. */
export function closeWith(pipeline: Pipeline, refusal: Problem, socket: Duplex): void {
  // Node has let go of a socket that asked for CONNECT: a reset that nobody listens for would end the process.
  socket.on("error", () => socket.destroy());
  const { status, headers, body } = pipeline.refuseUnread(refusal);
  // To import node:http loads Node's fetch as well, for a start that does not need it; this does not.
  const { STATUS_CODES } = process.getBuiltinModule("node:http");
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  lines.push(`content-length: ${Buffer.byteLength(body)}`, "connection: close");
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  // Nor does node close it where the other end leaves its half open. Not at once: what is unread would reset it.
  const patience = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once("close", () => clearTimeout(patience));
}

function refusalOf(code: string | undefined): Problem {
  if (code === "HPE_HEADER_OVERFLOW") return TOO_LARGE;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? TOO_SLOW : MALFORMED;
}
