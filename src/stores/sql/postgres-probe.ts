import pg from "pg";
import { clientOn } from "./postgres-client.ts";
import { connectionConfig, createSockets, refuseStandby } from "./postgres-connection.ts";
import type { PostgresTarget } from "./postgres-url.ts";

/** Asks a server whether it is there, on a connection of its own, which is opened at the first question. */
export interface PostgresProbe {
  /**
   * Resolves where a primary answers; opening the connection may take as long again as the question. Rejects with the
   * driver's error, and asks on a new connection the next time.
   */
  ask(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** The server goes down or is not up yet, or the connection ends (class 08). */
const AWAY = /^(08|57P0[123])/;

/** Whether a failure is the server's absence: no error that a server reports which is there, such as too many clients. */
export function isAway(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || AWAY.test(error.code ?? "");
}

/** The question touches no table: no lock, no slow disk and no expensive statement keeps it waiting. */
export function createPostgresProbe(target: PostgresTarget): PostgresProbe {
  const sockets = createSockets();
  let client: pg.Client | undefined;
  let isClosed = false;

  async function connect(withinMs: number): Promise<pg.Client> {
    const opening = new (clientOn(sockets, withinMs))(connectionConfig(target, withinMs));
    // Told by the next question as well.
    opening.on("error", () => lose(opening));
    client = opening;
    await opening.connect();
    return opening;
  }

  function lose(lost: pg.Client | undefined): void {
    if (client === lost) client = undefined;
    lost?.end().catch(() => undefined);
    void sockets.cut();
  }

  return {
    async ask(withinMs) {
      if (isClosed) throw new Error("it is closed");
      try {
        await refuseStandby(client ?? (await connect(withinMs)), withinMs);
      } catch (error) {
        lose(client);
        throw error;
      }
    },
    async close() {
      isClosed = true;
      lose(client);
      await sockets.cut();
    },
  };
}
