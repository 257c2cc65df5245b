import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { createKyros } from "../../src/index.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { expressHost, fastifyHost, honoHost, nodeHost } from "./hosts.ts";

const GUARDS_MS = 40;

/** A limiter over something that is slow, and is then away or lets everybody pass. */
const kyrosOver = (isAway: boolean) =>
  createKyros({
    secret: generateSecret(systemRandom),
    insecureHttp: true,
    onFailure: () => undefined,
    limiter: {
      async take({ name }) {
        await pause(GUARDS_MS);
        if (isAway) throw new Error("away");
        const times = { windowSeconds: 1, resetSeconds: 1, retryAfterSeconds: 0 };
        return { policy: name, allowed: true, limit: 9, remaining: 9, ...times };
      },
    },
  });

/** What a host's own time limit does to a request that waits for its guards. */
const GIVE_UP: Readonly<Record<string, (response: ServerResponse) => void>> = {
  answers: (response) => void response.writeHead(503).end("late"),
  "hangs up": (response) => void response.destroy(),
};

// A rejection that nobody handles fails the test, as it would end a process.
describe("a request that its host has given up while the guards wait", () => {
  for (const isAway of [true, false]) {
    const kyros = kyrosOver(isAway);
    const fastify = fastifyHost(kyros);
    const node = nodeHost(kyros);
    const hosts: Readonly<Record<string, RequestListener>> = {
      fastify: (request, response) => fastify.routing(request, response),
      express: expressHost(kyros),
      hono: getRequestListener(honoHost(kyros).fetch),
      node: (request, response) => void node.emit("request", request, response),
    };
    for (const [name, listener] of Object.entries(hosts)) {
      for (const [how, giveUp] of Object.entries(GIVE_UP)) {
        it(`ends no process: ${name}, whose host ${how}, the guards ${isAway ? "failing" : "passing"}`, async () => {
          await fastify.ready();
          const server = createServer((request, response) => {
            setTimeout(giveUp, GUARDS_MS / 4, response);
            listener(request, response);
          }).listen(0, "127.0.0.1");
          await once(server, "listening");
          const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/public`;
          const status = await fetch(url).then(
            (response) => response.status,
            () => "hung up",
          );
          assert.equal(status, how === "answers" ? 503 : "hung up");
          await pause(2 * GUARDS_MS + 20);
          server.close();
          server.closeAllConnections();
        });
      }
    }
  }
});
