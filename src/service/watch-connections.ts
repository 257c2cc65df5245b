import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

const OPENED = "net.server.socket";
const STARTED = "http.server.request.start";
const FINISHED = "http.server.response.finish";

/** The rest of a request that was on its way when the port was closed has this long to arrive (ms). */
const ARRIVAL_MS = 1000;

interface HttpMoment {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: Server;
}

/** What node:http notes on a socket: the response under way. */
interface HttpSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

/** The connections of a service, for its end. */
export interface Connections {
  /**
   * From now on every answer ends its connection (`Connection: close`, RFC 9112 section 9.6), and a connection whose
   * answer had begun before is closed once that is through: node:http itself would keep it until its keep-alive time
   * is over.
   */
  endWithAnswers(): void;
  /**
   * The port is closed: in a second, connections are ended on which no whole request has arrived. To node:http one is
   * busy from its first moment, though a browser has only opened it ahead of need, or its client is gone.
   */
  endUnasked(): void;
  stop(): void;
}

/** Follows the connections to this port, by what node reports of every server: nothing is paid for it by a request. */
export function watchConnections(port: number): Connections {
  const open = new Set<Socket>();
  let isEnding = false;
  let arrival: NodeJS.Timeout | undefined;
  const onOpen = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort !== port) return;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  };
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
  subscribe(OPENED, onOpen);
  return {
    endWithAnswers() {
      if (isEnding) return;
      isEnding = true;
      subscribe(STARTED, onStart);
      subscribe(FINISHED, onFinish);
    },
    endUnasked() {
      arrival ??= setTimeout(() => {
        for (const socket of open) if (!hasAsked(socket)) socket.destroy();
      }, ARRIVAL_MS);
    },
    stop() {
      clearTimeout(arrival);
      unsubscribe(OPENED, onOpen);
      unsubscribe(STARTED, onStart);
      unsubscribe(FINISHED, onFinish);
    },
  };
}

/** Whether a whole request has arrived whose answer is under way. */
function hasAsked({ _httpMessage: response }: HttpSocket): boolean {
  return response?.req.complete === true;
}
