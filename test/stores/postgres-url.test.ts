import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { DatabaseFault } from "../../src/stores/database-fault.ts";
import { openStores } from "../../src/stores/open.ts";
import { readPostgresUrl } from "../../src/stores/sql/postgres-url.ts";
import { temporaryDirectory } from "./temporary-stores.ts";

describe("the URL of a PostgreSQL", () => {
  it("names a server, a user and a database, each percent-encoded where that is needed", () => {
    assert.deepEqual(readPostgresUrl("postgres://ky%40ros:p%23%2F%3F%20w@db.example:6432/my%20db"), {
      host: "db.example",
      port: 6432,
      user: "ky@ros",
      password: "p#/? w",
      database: "my db",
      tls: false,
    });
    const { host, port, password } = readPostgresUrl("postgresql://kyros@[2001:db8::1]/kyros");
    assert.deepEqual([host, port, password], ["2001:db8::1", 5432, ""]);
  });

  it("asks for TLS as libpq's modes mean it, and never for less", () => {
    const { directory, remove } = temporaryDirectory();
    try {
      const file = join(directory, "ca.pem");
      const pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
      writeFileSync(file, pem);
      const tls = (parameters: string) => readPostgresUrl(`postgres://u:p@h/d?${parameters}`).tls;
      assert.equal(tls("sslmode=disable"), false);
      assert.deepEqual(tls("sslmode=require"), { rejectUnauthorized: false });
      assert.deepEqual(tls("sslmode=verify-full"), { rejectUnauthorized: true });
      assert.deepEqual(tls(`sslmode=verify-full&sslrootcert=${file}`), { ca: pem, rejectUnauthorized: true });
      for (const mode of ["verify-ca", "require"]) {
        const { checkServerIdentity, ...options } = { ...tls(`sslmode=${mode}&sslrootcert=${file}`) };
        assert.deepEqual(options, { ca: pem, rejectUnauthorized: true });
        assert.equal(typeof checkServerIdentity, "function");
      }
    } finally {
      remove();
    }
  });

  it("is refused in one line that repeats nothing of it", async () => {
    const refusals: [url: string, message: RegExp][] = [
      ["postgres://s3cret:port:x/d", /is not a URL/],
      ["postgres://s3cret.example/d", /names no user/],
      ["postgres://u:s3cret@/d", /is not a URL|names no host/],
      ["postgres://u:s3cret@h", /names no database/],
      ["postgres://u:s3cret@h/", /names no database/],
      ["postgres://u:s3cret@h/d/s3cret", /names no database/],
      ["postgres://u:s3cret%@h/d", /percent-encoding/],
      ["postgres://u:p@h/d#s3cret", /names no database/],
      ["postgres://u:p@h/d?password=s3cret", /parameter other than sslmode and sslrootcert/],
      ["postgres://u:p@h/d?sslmode=disable&sslmode=require", /parameter twice/],
      ["postgres://u:p@h/d?sslmode=prefer", /sslmode other than/],
      ["postgres://u:p@h/d?sslmode=s3cret", /sslmode other than/],
      ["postgres://u:p@h/d?sslmode=verify-ca", /verify-ca without sslrootcert/],
      ["postgres://u:p@h/d?sslrootcert=/s3cret", /sslmode=disable would ignore/],
      ["postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/s3cret", /cannot be read \(ENOENT\)/],
      ["postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/etc/hostname", /no file of certificates/],
    ];
    for (const [url, message] of refusals) {
      await assert.rejects(openStores({ databaseUrl: url }), (error: unknown) => {
        assert.ok(error instanceof DatabaseFault, url);
        assert.match(error.message, message, url);
        assert.ok(!/s3cret|\n/.test(error.message), error.message);
        return true;
      });
    }
  });
});
