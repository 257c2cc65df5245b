import { Socket } from "node:net";
import pg from "pg";
import { withinDeadline } from "../deadline.ts";
import type { PostgresTarget } from "./postgres-url.ts";

const INT8 = 20;
const KEEP_ALIVE_AFTER_MS = 10_000;
/** How long a closed connection may say goodbye before it is cut (ms). */
const GOODBYE_MS = 250;

/** The sockets of connections to one server, so that each can be cut: a server that is stopped never hangs up. */
export interface Sockets {
  open(): Socket;
  /** Resolves once all that are open now are closed, by themselves or by force. */
  cut(): Promise<void>;
}

export function createSockets(): Sockets {
  const sockets = new Set<Socket>();
  return {
    open() {
      const socket = new Socket();
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return socket;
    },
    async cut() {
      const closing = [...sockets];
      const closed = closing.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      const patience = setTimeout(() => {
        for (const socket of closing) socket.destroy();
      }, GOODBYE_MS);
      await Promise.all(closed);
      clearTimeout(patience);
    },
  };
}

/** What a connection is opened with; a statement that takes longer than `statementMs` is ended by the server. */
export function connectionConfig(target: PostgresTarget, statementMs: number): pg.ClientConfig {
  const { host, port, user, password, database, tls } = target;
  return {
    ...{ host, port, user, database, ssl: tls },
    // A function, as for an empty text the driver would search the environment and the home directory.
    password: () => password,
    application_name: "kyros",
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: 2 * statementMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    // `int8` as a number: what is stored in one is a time in milliseconds or a count.
    types: {
      getTypeParser: ((oid: number, format?: "text") =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  };
}

/** A statement with its bound in time; prepared at its first use on a connection where it has a name. */
export interface TimedQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly withinMs: number;
}

/** Runs a statement; one that is late is left behind unanswered, and its connection is of no more use. */
export function ask<R extends object>(
  client: pg.ClientBase,
  { withinMs, ...query }: TimedQuery,
): Promise<pg.QueryResult<R>> {
  return withinDeadline(client.query<R>({ ...query }), withinMs);
}

/** Throws where the server is a standby: it takes no writes, and what it shows is late by an unknown time. */
export async function refuseStandby(client: pg.ClientBase, withinMs: number): Promise<void> {
  const { rows } = await ask<{ standby: boolean }>(client, {
    text: "select pg_is_in_recovery() as standby",
    withinMs,
  });
  if (rows[0]?.standby !== false) throw new Error("the server is a standby");
}
