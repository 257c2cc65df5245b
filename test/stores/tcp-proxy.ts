import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";

export interface TcpProxy {
  readonly url: string;
  readonly port: number;
  /** From now on, what the server sends arrives so much later (ms). */
  delay(ms: number): void;
  /** Resets the connection by which this command is sent next, once so many more bytes of the server's have come by it. */
  resetReplyTo(command: string, bytes: number): void;
  /** From now on, new connections lead to another port, as after a name has moved; those that are open stay. */
  leadTo(port: number): void;
  /** While cut, nothing arrives in either direction, and nobody is told; then it does, as TCP sends it again. */
  cut(isCut: boolean): void;
  stop(): Promise<void>;
}

/** A proxy before a server on this machine, to do to its connections what networks do. */
export async function startProxy(firstPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let toPort = firstPort;
  let delayMs = 0;
  let toReset: { readonly command: string; readonly bytes: number } | undefined;
  let cable = Promise.withResolvers<void>();
  cable.resolve();

  /** Hands on what one side sends, in order. */
  function forward(from: Socket, to: Socket, hand: (data: Buffer) => void, lateBy: () => number): void {
    let inOrder: Promise<unknown> = Promise.resolve();
    from.on("data", (data) => {
      const due = new Promise((resolve) => setTimeout(resolve, lateBy()));
      inOrder = Promise.all([inOrder, due])
        .then(() => cable.promise)
        .then(() => to.destroyed || hand(data));
    });
    sockets.add(from);
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  }

  const server = createServer((client) => {
    const upstream = connect(toPort, "127.0.0.1");
    let bytesLeft = Number.POSITIVE_INFINITY;
    forward(
      client,
      upstream,
      (data) => {
        if (toReset !== undefined && data.includes(toReset.command)) {
          bytesLeft = toReset.bytes;
          toReset = undefined;
        }
        upstream.write(data);
      },
      () => 0,
    );
    forward(
      upstream,
      client,
      (data) => {
        const part = data.subarray(0, bytesLeft);
        bytesLeft -= part.length;
        if (part.length > 0) client.write(part);
        if (bytesLeft > 0) return;
        // After what was let through has left.
        setImmediate(() => client.resetAndDestroy());
      },
      () => delayMs,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    delay: (ms) => {
      delayMs = ms;
    },
    resetReplyTo: (command, bytes) => {
      toReset = { command, bytes };
    },
    leadTo(port) {
      toPort = port;
    },
    cut(isCut) {
      if (isCut) cable = Promise.withResolvers<void>();
      else cable.resolve();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
