import type pg from "pg";
import { clientOn } from "./postgres-client.ts";
import { ask, connectionConfig, createSockets, refuseStandby } from "./postgres-connection.ts";
import type { PostgresTarget } from "./postgres-url.ts";

/** How long opening may take, and a statement on the connection by the server's clock (ms). */
const PATIENCE_MS = 2000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export interface ListenerOptions {
  readonly target: PostgresTarget;
  readonly channel: string;
  readonly onNotification: () => void;
  /** Called each time the connection has been opened and listens: what was sent before has been missed. */
  readonly onOpen: () => void;
}

/** One connection that listens, and is opened again for as long as it takes whenever it is lost. */
export interface Listener {
  /** The connection, while it is open. */
  readonly client: pg.Client | undefined;
  /** Gives up a connection that does not answer. */
  drop(): void;
  close(): Promise<void>;
}

export function keepListening({ target, channel, onNotification, onOpen }: ListenerOptions): Listener {
  const sockets = createSockets();
  const Client = clientOn(sockets, PATIENCE_MS);
  const config = connectionConfig(target, PATIENCE_MS);
  /** The connection of the latest attempt, open or on its way there. */
  let attempt: pg.Client | undefined;
  let open: pg.Client | undefined;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<void> {
    const client = new Client(config);
    attempt = client;
    client.on("error", () => lose(client));
    client.on("end", () => lose(client));
    client.on("notification", onNotification);
    try {
      await client.connect();
      await refuseStandby(client, PATIENCE_MS);
      await ask(client, { text: `listen ${channel}`, withinMs: PATIENCE_MS });
    } catch {
      return lose(client);
    }
    if (attempt !== client) return;
    open = client;
    failures = 0;
    onOpen();
  }

  /** The first attempt follows at once, so that a connection that was only cut leaves no gap. */
  function lose(client: pg.Client): void {
    if (attempt !== client) return;
    attempt = undefined;
    open = undefined;
    client.end().catch(() => undefined);
    void sockets.cut();
    if (closed) return;
    const pauseMs = failures === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
    failures += 1;
    retry = setTimeout(() => void connect(), pauseMs);
    retry.unref();
  }

  void connect();
  return {
    get client() {
      return open;
    },
    drop() {
      if (open !== undefined) lose(open);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      if (attempt !== undefined) lose(attempt);
      await sockets.cut();
    },
  };
}
