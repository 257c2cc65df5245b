import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { storedOverrides } from "../../src/cli/stored-overrides.ts";
import { CHECKS } from "../../src/config/checks.ts";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { openStores } from "../../src/stores/open.ts";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

interface Item {
  readonly id: string;
  readonly verdict: string;
  readonly remedy: string;
  readonly source: string;
}

interface Diagnosis {
  readonly items: readonly Item[];
  readonly overrides: readonly unknown[];
  readonly not_judged: readonly string[];
}

describe("kyros doctor", () => {
  let kyros: Kyros;
  const secret = generateSecret(systemRandom);
  const sound = {
    KYROS_ENV: "production",
    KYROS_SECRET: secret,
    KYROS_BCRYPT_COST: "12",
    KYROS_TRUST_PROXY: "10.0.0.0/24",
  };
  before(async () => {
    kyros = await kyrosCommand();
  });
  after(() => kyros.remove());

  async function items(env: Record<string, string>): Promise<{ exitCode: number | null; items: Item[] }> {
    const { exitCode, stdout } = await kyros.run(["doctor", "--json"], { env });
    return { exitCode, ...(JSON.parse(stdout) as { items: Item[] }) };
  }

  it("finds nothing in a sound production, and exits 0", async () => {
    const found = await items(sound);
    assert.equal(found.exitCode, 0);
    assert.equal(found.items.length, CHECKS.length);
    assert.ok(!existsSync(join(kyros.dataDir, "kyros.db")), "it makes no database");
    assert.deepEqual(
      found.items.filter(({ verdict }) => verdict !== "ok"),
      [],
    );
  });

  it("names each weakness with its remedy and exits 1, although production would not even start", async () => {
    const weak = { ...sound, KYROS_CSRF: "off", KYROS_BCRYPT_COST: "10" };
    const found = await items(weak);
    assert.equal(found.exitCode, 1);
    const errors = found.items.filter(({ verdict }) => verdict === "error");
    assert.deepEqual(
      errors.map(({ id }) => id),
      ["csrf-off", "bcrypt-cost-low"],
    );
    const { stdout, exitCode } = await kyros.run(["doctor"], { env: weak });
    assert.equal(exitCode, 1);
    assert.match(
      stdout,
      /KYROS_CSRF turns the CSRF protection off\. Remedy: `on`; or, where it is wanted, csrf-off in/,
    );
    assert.match(stdout, /errors: 2, warnings: 0, accepted: 0\.\n$/);
  });

  it("shows what was marked as wanted, and exits 0 for a warning", async () => {
    const found = await items({
      ...sound,
      KYROS_CSRF: "off",
      KYROS_ALLOW_INSECURE: "csrf-off",
      KYROS_REGISTRATION: "on",
    });
    assert.equal(found.exitCode, 0);
    assert.equal(found.items.find(({ id }) => id === "csrf-off")?.verdict, "accepted");
    assert.equal(found.items.find(({ id }) => id === "registration-on")?.verdict, "warning");
  });

  it("judges what an admin has changed while the service runs, and the next start's values too", async () => {
    const stores = await openStores({ databaseUrl: kyros.databaseUrl });
    const change = (values: Record<string, string>) =>
      stores.settings.change(() =>
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [name, { value, changedAtMs: 0, changedBy: "root" }]),
        ),
      );
    try {
      await stores.migrate();
      await change({ registration: "on", rate_limit: "50/1m", login_rate_limit: "off" });
      const { stdout, exitCode } = await kyros.run(["doctor", "--json"], {
        env: { ...sound, KYROS_RATE_LIMIT: "off" },
      });
      assert.equal(exitCode, 1);
      const { items, overrides, not_judged } = JSON.parse(stdout) as Diagnosis;
      const of = (wanted: string) => {
        const { verdict, source } = items.find(({ id }) => id === wanted)!;
        return [verdict, source];
      };
      assert.deepEqual(of("registration-on"), ["warning", "database"]);
      assert.deepEqual(of("rate-limit-off"), ["error", "environment"], "the next start would refuse it");
      assert.deepEqual(of("csrf-off"), ["ok", "environment"]);
      const changed = { changed_at: "1970-01-01T00:00:00.000Z", changed_by: "root" };
      assert.deepEqual(overrides, [
        { name: "rate_limit", value: "50/1m", default: "off", ...changed },
        { name: "registration", value: "on", default: "off", ...changed },
      ]);
      assert.match(not_judged.join(), /login_rate_limit in the database does not hold: /);

      const shown = await kyros.run(["doctor"], { env: sound });
      assert.equal(shown.exitCode, 0);
      assert.match(
        shown.stdout,
        /KYROS_REGISTRATION, as changed while it runs, lets anyone .* by PATCH \/admin\/settings\.$/m,
      );
      assert.match(shown.stdout, /^Changed while it runs: registration is on, off in the environment\.$/m);
      await change({});
    } finally {
      await stores.close();
    }
  });

  it("is as useful where the database cannot be opened, and says what it has not judged", async () => {
    const file = join(kyros.dataDir, "no-database");
    await writeFile(file, "something else, and not a database at all");
    const loop = join(kyros.dataDir, "loop");
    await symlink(loop, loop);
    const closedPort = "postgres://kyros:hidden@127.0.0.1:1/kyros";
    for (const [url, why] of [
      [`sqlite:${file}`, /is not a SQLite database/],
      [`sqlite:${loop}`, /ELOOP/],
      [closedPort, /ECONNREFUSED/],
      ["sqlite::memory:", /in memory/],
    ] as const) {
      const stored = await storedOverrides(url);
      assert.ok("unread" in stored, url);
      assert.match(stored.unread, why);
      assert.ok(!stored.unread.includes("hidden"));
    }
    const env = { ...sound, DATABASE_URL: closedPort, KYROS_CSRF: "off" };
    const { stdout, exitCode } = await kyros.run(["doctor"], { env });
    assert.equal(exitCode, 1);
    assert.match(stdout, /KYROS_CSRF turns the CSRF protection off/);
    assert.match(stdout, /^Not judged: changes by PATCH \/admin\/settings: .*ECONNREFUSED/m);
  });

  it("tells no secret, and says in one line what it cannot read", async () => {
    const { stdout } = await kyros.run(["doctor"], { env: sound });
    assert.ok(!stdout.includes(secret));
    const unreadable = await kyros.run(["doctor"], { env: { ...sound, KYROS_PORT: "none" } });
    assert.equal(unreadable.exitCode, 2);
    assert.match(unreadable.stderr, /KYROS_PORT/);
    assert.equal((await kyros.run(["doctor", "--nonsense"])).exitCode, 2);
  });
});
