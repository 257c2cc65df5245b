import pg from "pg";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** Databases of the current schema on one server, each for one test. */
export interface PostgresDatabases {
  /** The URL of a new database, a copy of one that was migrated once. */
  create(): Promise<string>;
  /** Stores over an empty database, which `close` gives back. */
  open(): Promise<Stores & { readonly url: string }>;
}

export function postgresDatabases(server: PostgresServer): PostgresDatabases {
  let template: Promise<void> | undefined;
  const free: string[] = [];
  let created = 0;

  async function migrateTemplate(): Promise<void> {
    await runSql(server.url, "create database template_of_tests");
    const stores = await openStores({ databaseUrl: urlOf(server, "template_of_tests") });
    await stores.migrate();
    await stores.close();
  }

  async function create(): Promise<string> {
    template ??= migrateTemplate();
    await template;
    created += 1;
    const name = `test_${created}`;
    await runSql(server.url, `create database ${name} template template_of_tests`);
    return urlOf(server, name);
  }

  return {
    create,
    async open() {
      const url = free.pop() ?? (await create());
      const stores = await openStores({ databaseUrl: url });
      return {
        ...stores,
        url,
        async close() {
          await stores.close();
          await runSql(url, EMPTY_ALL);
          free.push(url);
        },
      };
    },
  };
}

/** Row by row: to cut off a table takes much longer than to delete the few rows of a test. */
const EMPTY_ALL = `
  do $$ declare name text; begin
    for name in select tablename from pg_tables
      where schemaname = 'public' and tablename not like 'kysely%' and tablename <> 'changes'
    loop execute 'delete from ' || quote_ident(name); end loop;
    insert into audit_head values (1, 0, repeat('A', 43));
  end $$`;

/** Runs one statement on a connection of its own, as a program that Kyros knows nothing of would. */
export async function runSql(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

function urlOf(server: PostgresServer, database: string): string {
  return server.url.replace(/\/kyros$/, `/${database}`);
}
