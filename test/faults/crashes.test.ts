import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { rounds } from "../rounds.ts";
import { WITHOUT_REDIS } from "../stores/redis-server.ts";
import type { ThreeInstances, Tokens } from "./three-instances.ts";
import { bearer, login, post, startThreeInstances, statusOf } from "./three-instances.ts";

/** Each of the three at least once. */
const ROUNDS = rounds(100, 3);
const STOPS = rounds(5, 2);

const WRITES_BEFORE_CRASH = 6;

type Index = 0 | 1 | 2;

/** What a second client was told, and so may hold the service to. */
interface Ledger {
  /** Access tokens whose end was acknowledged. */
  readonly ended: string[];
  /** The last acknowledged pair of each family, and the refresh token that it replaced. */
  readonly alive: { tokens: Tokens; replaced?: string }[];
}

describe("an instance that is killed while it writes", { skip: WITHOUT_REDIS, timeout: 1_200_000 }, () => {
  let three: ThreeInstances;
  before(async () => {
    three = await startThreeInstances();
    await three.createUser("alice");
  });
  after(() => three?.stop());

  /** Starts sessions, renews and ends them at one instance until it is gone; notes only what was acknowledged. */
  async function writeUntilCrash(index: Index, ledger: Ledger): Promise<void> {
    const instance = three.instances[index];
    for (;;) {
      try {
        const family: { tokens: Tokens; replaced?: string } = { tokens: await login(instance, "alice") };
        const renewed = await post(instance, "/auth/refresh", { refresh_token: family.tokens.refresh_token });
        assert.equal(renewed.status, 200);
        ledger.alive.push({
          tokens: (await renewed.json()) as Tokens,
          replaced: family.tokens.refresh_token,
        });
        const { access_token } = await login(instance, "alice");
        const ended = await post(instance, "/auth/logout", {}, bearer(access_token));
        if (ended.status === 204) ledger.ended.push(access_token);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  }

  it(`loses nothing that it acknowledged, ${ROUNDS} times`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const ledger: Ledger = { ended: [], alive: [] };
      const crashing = (round % 3) as Index;
      const survivor = three.instances[((round + 1) % 3) as Index];
      const writers = Array.from({ length: 3 }, () => writeUntilCrash(crashing, ledger));
      while (ledger.ended.length < WRITES_BEFORE_CRASH)
        await new Promise((resolve) => setTimeout(resolve, 5));
      await three.replace(crashing);
      await Promise.all(writers);
      for (const instance of [survivor, three.instances[crashing]]) {
        for (const token of ledger.ended)
          assert.equal(await statusOf(instance, token), 401, `round ${round}`);
        for (const { tokens } of ledger.alive) {
          assert.equal(await statusOf(instance, tokens.access_token), 200, `round ${round}`);
        }
      }
      const last = ledger.alive.at(-1)!;
      const renewed = await post(survivor, "/auth/refresh", { refresh_token: last.tokens.refresh_token });
      assert.equal(renewed.status, 200, `round ${round}: an acknowledged refresh token was lost`);
    }
  });

  it("cut off by SIGSTOP while a token is revoked elsewhere, refuses it from its first answer on", async () => {
    for (let round = 0; round < STOPS; round++) {
      const [first, second] = three.instances;
      const { access_token } = await login(first, "alice");
      assert.equal(await statusOf(second, access_token), 200);
      second.signal("SIGSTOP");
      const late = Array.from({ length: 20 }, () => statusOf(second, access_token));
      assert.equal((await post(first, "/auth/logout", {}, bearer(access_token))).status, 204);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      second.signal("SIGCONT");
      assert.deepEqual([...new Set(await Promise.all(late))], [401]);
    }
  });
});
