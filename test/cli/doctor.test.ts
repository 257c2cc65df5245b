import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CHECKS } from "../../src/config/checks.ts";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

interface Item {
  readonly id: string;
  readonly verdict: string;
  readonly remedy: string;
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

  it("tells no secret, and says in one line what it cannot read", async () => {
    const { stdout } = await kyros.run(["doctor"], { env: sound });
    assert.ok(!stdout.includes(secret));
    const unreadable = await kyros.run(["doctor"], { env: { ...sound, KYROS_PORT: "none" } });
    assert.equal(unreadable.exitCode, 2);
    assert.match(unreadable.stderr, /KYROS_PORT/);
    assert.equal((await kyros.run(["doctor", "--nonsense"])).exitCode, 2);
  });
});
