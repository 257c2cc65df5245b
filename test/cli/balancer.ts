import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

const PROBE_EVERY_MS = 100;

/** A load balancer such as stands before instances: it asks each for `/readyz`, and never sends a request twice. */
export interface Balancer {
  readonly url: string;
  add(url: string): void;
  /** How many instances it sends requests to at present. */
  ready(): number;
  close(): void;
}

export async function startBalancer(): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const isReady = new Map<string, boolean>();
  let turn = 0;
  const readyOnes = () => [...isReady].filter(([, ready]) => ready).map(([url]) => url);

  const probe = async (url: string): Promise<void> => {
    const ready = await fetch(`${url}/readyz`, { headers: { connection: "close" } }).then(
      (answer) => answer.status === 200,
      () => false,
    );
    isReady.set(url, ready);
  };
  const probes = setInterval(() => {
    for (const url of isReady.keys()) void probe(url);
  }, PROBE_EVERY_MS);

  const server = createServer((incoming, outgoing) => {
    const targets = readyOnes();
    const target = targets[turn++ % targets.length];
    if (target === undefined) return void outgoing.writeHead(502).end();
    const { method, headers } = incoming;
    const forwarded = request(new URL(incoming.url!, target), { method, headers, agent }, (answer) => {
      // What a connection is told is between its two ends (RFC 9110 section 7.6.1).
      const { connection: _connection, "keep-alive": _keepAlive, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode!, rest);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (url) => void isReady.set(url, false),
    ready: () => readyOnes().length,
    close() {
      clearInterval(probes);
      agent.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
