import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Exposition } from "../telemetry/exposition.ts";

export interface MetricsServer {
  readonly url: string;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const HEADER_LIMIT = 8 * 1024;
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/**
 * Serves `GET /metrics` and nothing else, on a port of its own: for networks where that port is the monitoring's alone.
 * It asks for no credential, so what it tells holds no name, address or path.
 */
export async function startMetricsServer(
  metrics: Exposition,
  listen: { readonly host: string; readonly port: number },
  onFailure: (error: unknown) => void,
): Promise<MetricsServer> {
  // Imported here: as a module, and not as Fastify requires it, node:http loads Node's fetch as well.
  const { createServer } = await import("node:http");
  const server = createServer(
    { maxHeaderSize: HEADER_LIMIT, requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS },
    (request, response) => {
      const isRead = request.method === "GET" || request.method === "HEAD";
      if (request.url?.split("?", 1)[0] !== "/metrics") {
        response.writeHead(404, HEADERS).end();
      } else if (!isRead) {
        response.writeHead(405, { ...HEADERS, allow: "GET, HEAD" }).end();
      } else {
        metrics.text().then(
          (text) => response.writeHead(200, { ...HEADERS, "content-type": metrics.contentType }).end(text),
          (error) => {
            onFailure(error);
            response.writeHead(500, HEADERS).end();
          },
        );
      }
    },
  );
  server.listen(listen);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return {
    url: `http://${host}:${port}/metrics`,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
