import pg from "pg";
import { withinDeadline } from "../deadline.ts";
import type { Sockets } from "./postgres-connection.ts";

/** What the driver's types say of a callback is less than it is called with. */
type Connected = (error?: Error) => void;

/**
 * The driver's client, on sockets that can be cut, which gives up opening its connection after `openingMs` in which this
 * process could run. The driver's own timer counts the time that the process was stopped for.
 */
export function clientOn(sockets: Sockets, openingMs: number): new (config?: pg.ClientConfig) => pg.Client {
  return class extends pg.Client {
    readonly #cut: (error: Error) => void;

    constructor(config?: pg.ClientConfig) {
      const socket = sockets.open();
      // Not a copy: the pool hides the password from those.
      super(Object.create(config ?? null, { stream: { value: () => socket } }));
      this.#cut = (error) => void socket.destroy(error);
    }

    /** Who gives a callback is called at once: the next bytes that came may be an error, which it has to listen for. */
    override connect(callback?: (error: never, client: never) => void): Promise<pg.Client> {
      const opened = Promise.withResolvers<pg.Client>();
      withinDeadline(opened.promise, openingMs).catch(this.#cut);
      super.connect((error: Error | null) => {
        if (error) opened.reject(error);
        else opened.resolve(this);
        (callback as Connected | undefined)?.(error ?? undefined);
      });
      return opened.promise;
    }
  };
}
