import pg from "pg";

/** Holds what a statement locks, on a connection of its own, until it is told to end. */
export function holdLock(url: string, statement: string) {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const holding = (async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("begin");
    await client.query(statement);
    hold();
    await end;
    await client.end();
  })();
  return {
    held,
    end() {
      resolve();
      return holding;
    },
  };
}
