import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

const STARTED = "http.server.request.start";
const FINISHED = "http.server.response.finish";

interface HttpMoment {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: Server;
}

/**
 * From now on every answer on this port ends its connection (`Connection: close`, RFC 9112 section 9.6), and a
 * connection whose answer had begun before is closed once that is through: node:http itself would keep it until its
 * keep-alive time is over. Listens to what node reports of every server, so that nothing is paid for it until then.
 */
export function endConnections(port: number): { stop(): void } {
  const onStart = (message: unknown): void => {
    const { request, response } = message as HttpMoment;
    if (request.socket.localPort === port) response.shouldKeepAlive = false;
  };
  const onFinish = (message: unknown): void => {
    const { request, server } = message as HttpMoment;
    if (server.listening || request.socket.localPort !== port) return;
    // The connection counts as idle only after this turn.
    setImmediate(() => server.closeIdleConnections());
  };
  subscribe(STARTED, onStart);
  subscribe(FINISHED, onFinish);
  return {
    stop() {
      unsubscribe(STARTED, onStart);
      unsubscribe(FINISHED, onFinish);
    },
  };
}
