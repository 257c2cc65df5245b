import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { describe, it } from "node:test";
import { DatabaseFault } from "../../src/stores/database-fault.ts";
import { openStores } from "../../src/stores/open.ts";
import { sampleAccount } from "../../src/testing/samples.ts";
import { temporaryDirectory } from "./temporary-stores.ts";

describe("openStores", () => {
  it("opens the file that a SQLite URL names, however it is spelled", async () => {
    const { directory, remove } = temporaryDirectory();
    try {
      const path = join(directory, "file:with ?odd%20&name#.db");
      const urls = [
        `sqlite:${path}`,
        `sqlite://${path}`,
        `sqlite:${relative(process.cwd(), path)}`,
        `SQLite:${path}`,
      ];
      for (const [n, databaseUrl] of urls.entries()) {
        const stores = await openStores({ databaseUrl });
        assert.equal((await stores.migrate()).length > 0, n === 0, databaseUrl);
        assert.equal(await stores.accounts.create(sampleAccount(n)), "created");
        assert.equal((await stores.accounts.list({ limit: 9 })).length, n + 1);
        await stores.close();
      }
    } finally {
      remove();
    }
  });

  it("opens stores that end with the process, each its own", async () => {
    const [first, second] = [
      await openStores({ databaseUrl: "sqlite::memory:" }),
      await openStores({ databaseUrl: "sqlite::memory:" }),
    ];
    assert.deepEqual(await first.pendingMigrations(), []);
    assert.deepEqual(await first.migrate(), []);
    await first.accounts.create(sampleAccount(1));
    assert.equal(await second.accounts.findById(sampleAccount(1).id), undefined);
    await first.health();
    await first.close();
  });

  it("refuses any other URL in one line that shows nothing of it but the kind", async () => {
    const refusals: [databaseUrl: string, message: RegExp][] = [
      ["mysql://kyros:s3cret@db.example/kyros", /kind mysql is not supported/],
      ["s3cret", /has no scheme/],
      ["", /has no scheme/],
      ["/var/lib/s3cret.db", /has no scheme/],
      ["sqlite:", /names no path/],
      ["sqlite://", /names no path/],
      ["sqlite://host/s3cret.db", /names no path/],
    ];
    for (const [databaseUrl, message] of refusals) {
      await assert.rejects(openStores({ databaseUrl }), (error: unknown) => {
        assert.ok(error instanceof DatabaseFault, databaseUrl);
        assert.match(error.message, message);
        assert.ok(!/s3cret|\n/.test(error.message), error.message);
        return true;
      });
    }
  });
});
