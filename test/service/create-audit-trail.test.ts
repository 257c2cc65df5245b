import assert from "node:assert/strict";
import { it } from "node:test";
import { createAuditTrail, createKyros } from "../../src/index.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { freshSecret } from "../config/environments.ts";
import { readExposition, sampleOf } from "../telemetry/exposition.ts";

it("a host has the audit trail and metrics of what its users do", async () => {
  const secret = freshSecret();
  const stores = createMemoryStores();
  const metrics = createMetrics();
  const trail = createAuditTrail({ secret, store: stores.audit, others: [metrics.events] });
  const kyros = createKyros({
    secret,
    stores,
    events: trail.events,
    observer: metrics.observer,
    bcryptCost: 10,
  });
  const act = { atMs: 1_700_000_000_000, actor: { kind: "system" } } as const;
  const password = "correct horse battery staple";
  await kyros.accounts.create({ username: "alice", email: null, role: "user", password }, act);
  await kyros.signIn.byPassword({ username: "alice", password }, act);
  await trail.close();
  const entries = await stores.audit.entriesAfter(0, 10);
  assert.deepEqual(
    entries.map(({ type }) => type),
    ["user.created", "auth.login.succeeded"],
  );
  const lines = readExposition(await metrics.text());
  assert.equal(sampleOf(lines, "kyros_logins_total", { outcome: "succeeded" }), 1);
  metrics.stop();
});
