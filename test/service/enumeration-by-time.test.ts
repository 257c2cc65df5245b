import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { median, rankSumP } from "../../bench/statistics.ts";
import { rounds } from "../rounds.ts";
import { ask } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

/** Tries of each kind. At a cost of 10 a difference of one hash in two would stand out from far fewer. */
const PAIRS = rounds(40, 24);
/** So unlikely by chance that two runs in turn, by chance, are one in ten thousand. */
const LEAST_P = 0.01;
const MOST_GAP = 1.05;

describe("R37: whether an account exists", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_BCRYPT_COST: "10" });
    await service.createUser("known");
    const disabled = await service.createUser("disabled");
    await service.stores.accounts.update(disabled, { disabled: true });
  });
  after(() => service.stop());

  async function timeOf(username: string): Promise<number> {
    const beganMs = performance.now();
    const body = { username, password: "wrong horse battery staple" };
    const { status } = await ask(service, "POST", "/auth/login", {}, body);
    assert.equal(status, 401);
    return performance.now() - beganMs;
  }

  /** Both kinds in turn, and which of them first in turn too: what else the machine does meets both alike. */
  async function measure(name: string): Promise<{ p: number; gap: number }> {
    const known: number[] = [];
    const unknown: number[] = [];
    for (let at = 0; at < PAIRS; at += 1) {
      const tries = [
        async () => void known.push(await timeOf(name)),
        async () => void unknown.push(await timeOf(`nobody${at}`)),
      ];
      for (const tryOne of at % 2 === 0 ? tries : tries.reverse()) await tryOne();
    }
    const ratio = median(known) / median(unknown);
    return { p: rankSumP(known, unknown), gap: Math.max(ratio, 1 / ratio) };
  }

  for (const name of ["known", "disabled"]) {
    it(`is not told by the time of a refused sign-in, of an account that is ${name}`, async (t) => {
      await timeOf(name);
      const tellsApart = ({ p, gap }: { p: number; gap: number }) => p <= LEAST_P && gap > MOST_GAP;
      let seen = await measure(name);
      // Chance alone tells them apart once in a hundred times, and a busy machine more often; a leak does it each time.
      if (tellsApart(seen)) seen = await measure(name);
      t.diagnostic(`p ${seen.p.toFixed(3)}, medians apart by ${((seen.gap - 1) * 100).toFixed(1)} %`);
      assert.ok(!tellsApart(seen), `p ${seen.p}, medians apart by a factor of ${seen.gap}`);
    });
  }
});
