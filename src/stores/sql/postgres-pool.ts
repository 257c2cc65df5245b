import type { PostgresPool as KyselyPool, PostgresPoolClient, PostgresQueryResult } from "kysely";
import pg from "pg";
import { withinDeadline } from "../deadline.ts";
import { clientOn } from "./postgres-client.ts";
import type { TimedQuery } from "./postgres-connection.ts";
import { ask, connectionConfig, createSockets, refuseStandby } from "./postgres-connection.ts";
import { isConflict, toPortError } from "./postgres-errors.ts";
import type { PostgresGate } from "./postgres-gate.ts";
import type { PostgresTarget } from "./postgres-url.ts";

/** The most of everything: nothing waits for ever, and no instance takes all of a server's connections. */
export interface PostgresLimits {
  readonly connections: number;
  /** For opening a connection (ms). */
  readonly connectMs: number;
  /** For one statement, by the server's clock (ms). */
  readonly statementMs: number;
  /** From asking for a connection to the last answer on it, by this process's clock (ms). */
  readonly callMs: number;
}

export interface PostgresPool extends KyselyPool {
  /** Runs one statement on any connection. Its first bound covers the wait for a connection as well. */
  read<R extends object>(query: TimedQuery): Promise<readonly R[]>;
  /** Cuts every connection, soon. */
  cut(): void;
}

export interface PostgresPoolOptions {
  readonly target: PostgresTarget;
  readonly limits: PostgresLimits;
  /** Every wait for the server goes through it. */
  readonly gate: PostgresGate;
  readonly monotonicMs: () => number;
  /** Called when rows may have changed, and awaited before their writer is told. */
  readonly onWrite: () => Promise<void>;
}

/** A statement alone that met a conflict is repeated up to four times. */
const ATTEMPTS = 5;
const IDLE_MS = 30_000;
/** Connections are renewed, so that they spread again over what stands behind a name. */
const LIFETIME_S = 1800;

/** Connections to a primary. All they throw is an `Outage`, or a plain error where a value was refused. */
export function createPostgresPool(options: PostgresPoolOptions): PostgresPool {
  const { target, limits, gate, monotonicMs, onWrite } = options;
  const sockets = createSockets();
  const pool = new pg.Pool({
    ...connectionConfig(target, limits.statementMs),
    Client: clientOn(sockets, limits.connectMs),
    max: limits.connections,
    // So that who no longer waits is not kept: how long that is, `acquire` decides.
    connectionTimeoutMillis: limits.callMs,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: LIFETIME_S,
    onConnect: (client) => refuseStandby(client, limits.connectMs),
  });
  // An idle connection was lost: the pool has dropped it, and the next user opens another.
  pool.on("error", () => undefined);

  async function acquire(withinMs: number): Promise<pg.PoolClient> {
    let pending: Promise<pg.PoolClient> | undefined;
    try {
      return await gate.through(() => {
        pending = pool.connect();
        return withinDeadline(pending, withinMs);
      });
    } catch (error) {
      pending?.then(
        (client) => client.release(),
        () => undefined,
      );
      throw toPortError(error);
    }
  }

  async function lease(callMs: number): Promise<Lease> {
    const deadlineMs = monotonicMs() + callMs;
    return openLease(gate, await acquire(callMs), () => Math.ceil(deadlineMs - monotonicMs()));
  }

  return {
    options: {},
    async connect() {
      return forKysely(await lease(limits.callMs), onWrite);
    },
    async read<R extends object>(query: TimedQuery) {
      const leased = await lease(query.withinMs);
      try {
        return (await leased.ask<R>(query)).rows;
      } finally {
        leased.release();
      }
    },
    cut: () => void sockets.cut(),
    async end() {
      await pool.end();
      await sockets.cut();
    },
  };
}

type Statement = Omit<TimedQuery, "withinMs">;

/** A connection in somebody's hands, until its time is up. */
interface Lease {
  ask<R extends object>(query: Statement): Promise<pg.QueryResult<R>>;
  release(discard?: boolean): void;
}

function openLease(gate: PostgresGate, client: pg.PoolClient, leftMs: () => number): Lease {
  let lost: unknown;
  const lose = (error: unknown) => {
    lost ??= error;
  };
  // Without a listener, a connection that is lost in somebody's hands would end the process.
  client.on("error", lose);
  return {
    async ask(query) {
      const withinMs = leftMs();
      if (withinMs <= 0) lose(new Error("the database took too long"));
      if (lost !== undefined) throw toPortError(lost);
      try {
        return await gate.through(() => ask<never>(client, { ...query, withinMs }));
      } catch (error) {
        // Only what the server itself reported leaves the connection as it was.
        if (!(error instanceof pg.DatabaseError)) lose(error);
        throw toPortError(error);
      }
    },
    release(discard) {
      client.off("error", lose);
      client.release(lost !== undefined || discard === true);
    },
  };
}

/** What Kysely takes for a connection of the driver: it repeats lone statements that met a conflict and tells writes. */
function forKysely(lease: Lease, onWrite: () => Promise<void>): PostgresPoolClient {
  let inTransaction = false;
  let wrote = false;

  async function repeated<R extends object>(query: Statement): Promise<pg.QueryResult<R>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await lease.ask<R>(query);
      } catch (error) {
        if (inTransaction || attempt === ATTEMPTS || !isConflict(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 5 * attempt));
    }
  }

  async function query<R extends object>(
    text: string,
    values: readonly unknown[],
  ): Promise<PostgresQueryResult<R>> {
    const { command, rowCount, rows } = await repeated<R>({ text, values: [...values] });
    if (command === "BEGIN" || command === "START") inTransaction = true;
    if (command === "ROLLBACK") wrote = false;
    if (command === "COMMIT" || command === "ROLLBACK") inTransaction = false;
    if (command !== "SELECT" && (rowCount ?? 0) > 0) wrote = true;
    if (wrote && !inTransaction) {
      wrote = false;
      await onWrite();
    }
    return { command: command as PostgresQueryResult<R>["command"], rowCount: rowCount ?? 0, rows };
  }

  return { query: query as PostgresPoolClient["query"], release: lease.release };
}
