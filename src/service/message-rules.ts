import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { Refusal } from "../kernel/failure.ts";
import type { Problem } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { closeWith } from "./refuse-unread.ts";

// Whoever sends one of these does not read HTTP as this server does: nothing more is read from the connection.
const CLOSE = { headers: ["connection", "close"] } as const;
const VERSION = problem("validation_failed", "Speak HTTP/1.1 or HTTP/1.0.", CLOSE);
const HOST = problem("validation_failed", "Send one Host header.", CLOSE);
const FRAMING = problem("validation_failed", "The only transfer coding is chunked, in HTTP/1.1.", CLOSE);
const NO_PROXY = problem("validation_failed", "This server connects to no other.");
const EXPECTATION = problem("validation_failed", "The only expectation that can be met is 100-continue.", {
  ...CLOSE,
  status: 417,
});

/**
 * Refuses requests that RFC 9112 has a server refuse and that node reads all the same, or answers by itself without a
 * header of ours: no Host or two (section 3.2), a transfer coding that does not delimit the body (sections 6.1 and 6.3),
 * an expectation that cannot be met (RFC 9110 section 10.1.1), CONNECT to this server. Call it before the guards.
 * What it has refused is added to `refused`, as node may still find the rest of it unreadable: one answer is enough.
 */
export function installMessageRules(
  app: FastifyInstance,
  pipeline: Pipeline,
  refused: WeakSet<Socket>,
): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const fault = faultOf(request.raw);
    if (fault === undefined) return done();
    refused.add(request.raw.socket);
    done(new Refusal(fault));
  });
  app.server.on("checkExpectation", app.routing);
  app.server.on("connect", (_request, socket) => closeWith(pipeline, NO_PROXY, socket));
}

function faultOf({ httpVersion, headers, rawHeaders }: IncomingMessage): Problem | undefined {
  const isOld = httpVersion === "1.0";
  if (!isOld && httpVersion !== "1.1") return VERSION;
  const hosts = countHosts(rawHeaders);
  if (hosts > 1 || (hosts === 0 && !isOld)) return HOST;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && (isOld || coding.toLowerCase() !== "chunked")) return FRAMING;
  const { expect } = headers;
  return expect === undefined || expect.toLowerCase() === "100-continue" ? undefined : EXPECTATION;
}

/** Node keeps the first of several and says nothing of the others. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === "host") count += 1;
  }
  return count;
}
