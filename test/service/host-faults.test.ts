import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createAuditTrail, createKyros } from "../../src/index.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { PUBLIC_RULE } from "../../src/kernel/rule.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { freshSecret } from "../config/environments.ts";
import { exchangeOf } from "../limits/exchanges.ts";

const FAULTS: Readonly<Record<string, () => never | Promise<never>>> = {
  throws: () => {
    throw new Error("the host's own fault");
  },
  rejects: async () => {
    throw new Error("the host's own fault");
  },
};
const away = async (): Promise<never> => {
  await pause(1);
  throw new Outage("redis");
};

// A rejection that nobody handles fails the test, as it would end a process.
describe("a host's function that is told of failures and has one itself", () => {
  for (const [how, fault] of Object.entries(FAULTS)) {
    it(`costs no request its answer: it ${how}`, async () => {
      const { pipeline } = createKyros({
        secret: freshSecret(),
        insecureHttp: true,
        limiter: { take: away },
        onFailure: fault,
      });
      const { view } = exchangeOf({ rule: PUBLIC_RULE });
      const outcome = await pipeline.run(pipeline.open(view, PUBLIC_RULE));
      assert.equal(outcome.kind === "respond" && outcome.answer.status, 503);
      await pause(5);
    });

    it(`ends no process where the audit trail cannot be written: it ${how}`, async () => {
      const trail = createAuditTrail({
        secret: freshSecret(),
        store: { ...createMemoryStores().audit, append: away },
        others: [{ record: fault }],
        onFailure: fault,
      });
      const event = {
        name: "user.created",
        atMs: 0,
        outcome: "success",
        actor: { kind: "system" },
      } as const;
      await assert.rejects(async () => trail.events.record(event), Outage);
      await pause(5);
      await trail.close();
    });
  }
});
