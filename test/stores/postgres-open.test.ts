import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { DatabaseFault } from "../../src/stores/database-fault.ts";
import { openStores } from "../../src/stores/open.ts";
import { sampleAccount } from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import { runSql } from "./postgres-databases.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { startPostgres } from "./postgres-server.ts";

describe("opening a PostgreSQL", () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const named = (database: string, parameters = "") =>
    server.url.replace(/\/kyros$/, `/${database}${parameters}`);

  it("migrates once, however many instances ask for it at the same time", async () => {
    await runSql(server.url, "create database crowd");
    const crowd = await Promise.all(
      Array.from({ length: 5 }, () => openStores({ databaseUrl: named("crowd") })),
    );
    assert.deepEqual(await crowd[0]!.pendingMigrations(), await crowd[1]!.pendingMigrations());
    const pending = await crowd[0]!.pendingMigrations();
    const applied = await Promise.all(crowd.map((stores) => stores.migrate()));
    assert.deepEqual(applied.flat().sort(), [...pending].sort());
    assert.equal(applied.filter((names) => names.length > 0).length, 1);
    for (const stores of crowd) {
      assert.deepEqual(await stores.pendingMigrations(), []);
      assert.deepEqual(await stores.migrate(), []);
    }
    assert.equal(await crowd[0]!.accounts.create(sampleAccount(1)), "created");
    assert.equal(
      (await crowd[4]!.accounts.findById(sampleAccount(1).id))?.username,
      sampleAccount(1).username,
    );
    await Promise.all(crowd.map((stores) => stores.close()));
  });

  it("refuses a schema that a newer version has migrated", async () => {
    await runSql(server.url, "create database newer");
    const stores = await openStores({ databaseUrl: named("newer") });
    await stores.migrate();
    await runSql(named("newer"), "insert into kysely_migration values ('9999-future', '')");
    await assert.rejects(stores.migrate(), DatabaseFault);
    await assert.rejects(stores.pendingMigrations(), /9999-future/);
    await stores.close();
  });

  it("serves while a newer version adds a column: no plan of before stands in its way", async () => {
    await runSql(server.url, "create database rolling");
    const stores = await openStores({ databaseUrl: named("rolling") });
    await stores.migrate();
    await stores.accounts.create(sampleAccount(1));
    assert.ok(await stores.accounts.findById(sampleAccount(1).id));
    await runSql(named("rolling"), "alter table accounts add column later bigint");
    await runSql(named("rolling"), "update accounts set role = 'admin'");
    for (let n = 0; n < 20; n += 1) assert.equal((await stores.accounts.list({ limit: 1 })).length, 1);
    assert.equal((await stores.accounts.findById(sampleAccount(1).id))?.id, sampleAccount(1).id);
    await stores.close();
  });

  it("starts with a role that may not change the schema, once there is nothing to migrate", async () => {
    await runSql(server.url, "create database narrow");
    const owner = await openStores({ databaseUrl: named("narrow") });
    await owner.migrate();
    await owner.close();
    await runSql(server.superuserUrl, "create role narrow login password 'narrow'");
    await runSql(
      named("narrow"),
      "grant select, insert, update, delete on all tables in schema public to narrow",
    );
    const databaseUrl = named("narrow").replace(/\/\/[^@]*@/, "//narrow:narrow@");
    await assert.rejects(runSql(databaseUrl, "create table mine (id integer)"), /permission denied/);
    const stores = await openStores({ databaseUrl });
    assert.deepEqual(await stores.migrate(), []);
    await stores.accounts.create(sampleAccount(1, { role: "admin" }));
    assert.equal((await stores.accounts.update(sampleAccount(1).id, { email: null })).kind, "updated");
    assert.equal((await stores.accounts.findById(sampleAccount(1).id))?.email, null);
    await eventually(async () => {
      await stores.accounts.findById(sampleAccount(1).id);
      assert.ok(!(stores.accounts.findById(sampleAccount(1).id) instanceof Promise));
    });
    await stores.close();
  });

  it("says what the operator has to change, and none of the URL", async () => {
    const faults: [url: string, message: RegExp][] = [
      [named("kyros").replace(/:p[^@]*@/, ":wr0ng@"), /refuses this user or password/],
      [named("kyros").replace(/:p[^@]*@/, "@"), /refuses this user or password/],
      [named("absent"), /no database of this name/],
      [named("kyros", "?sslmode=require"), /offers no TLS/],
    ];
    for (const [databaseUrl, message] of faults) {
      await assert.rejects(openStores({ databaseUrl }), (error: unknown) => {
        assert.ok(error instanceof DatabaseFault, `${error}`);
        assert.match(error.message, message);
        assert.ok(!/wr0ng|ss w0rd|127\.0\.0\.1|\n/.test(error.message), error.message);
        return true;
      });
    }
  });
});

describe("TLS to a PostgreSQL", () => {
  let server: PostgresServer;
  let certificate: string;
  before(async () => {
    server = await startPostgres();
    certificate = join(server.directory, "server.crt");
    const key = join(server.directory, "server.key");
    const subject = ["-subj", "/CN=database.test", "-addext", "subjectAltName=DNS:database.test"];
    const files = ["-keyout", key, "-out", certificate];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        ...subject,
        ...files,
      ],
      { stdio: "ignore" },
    );
    const { uid, gid } = statSync(join(server.directory, "data"));
    for (const file of [certificate, key]) chownSync(file, uid, gid);
    for (const setting of [`ssl_cert_file = '${certificate}'`, `ssl_key_file = '${key}'`, "ssl = on"]) {
      server.configure(setting);
    }
    await server.restart("fast");
  });
  after(() => server.stop());

  const url = (parameters: string) => `${server.url}?${parameters}`;

  it("is spoken in every mode but disable, to a server that proves what the mode asks for", async () => {
    const modes = [
      ["sslmode=disable", false],
      ["sslmode=require", true],
      [`sslmode=require&sslrootcert=${certificate}`, true],
      [`sslmode=verify-ca&sslrootcert=${certificate}`, true],
    ] as const;
    for (const [parameters, isEncrypted] of modes) {
      const stores = await openStores({ databaseUrl: url(parameters) });
      const rows = await runSql(
        server.url,
        "select bool_and(ssl) as ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'kyros'",
      );
      assert.equal(rows[0]!["ssl"], isEncrypted, parameters);
      await stores.close();
    }
  });

  it("is refused where the certificate proves nothing, or another name", async () => {
    await assert.rejects(
      openStores({ databaseUrl: url("sslmode=verify-full") }),
      /certificate is not accepted/,
    );
    const own = url(`sslmode=verify-full&sslrootcert=${certificate}`);
    await assert.rejects(
      openStores({ databaseUrl: own }),
      /certificate is not accepted \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    );
    const localhost = url("sslmode=verify-full").replace("127.0.0.1", "localhost");
    await assert.rejects(openStores({ databaseUrl: localhost }), DatabaseFault);
  });
});
