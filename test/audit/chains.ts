import { openKeyring } from "../../src/crypto/keyring.ts";
import type { AuditStore } from "../../src/identity/audit/audit-store.ts";
import { createStatementSigner } from "../../src/identity/audit/statement.ts";
import { createTrail, type Trail, type TrailOptions } from "../../src/identity/audit/trail.ts";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { SAMPLE_NOW_MS } from "../../src/testing/samples.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const secretOf = (seed: number) => Buffer.from(seededRandom(seed).bytes(64)).toString("base64url");

/** The signer of a deployment, and that of another with a secret of its own. */
export const signer = createStatementSigner(openKeyring({ current: secretOf(1) }));
export const stranger = createStatementSigner(openKeyring({ current: secretOf(2) }));

export const event = (parts: Partial<AuditEvent> = {}): AuditEvent => ({
  name: "auth.login.succeeded",
  atMs: SAMPLE_NOW_MS,
  actor: { kind: "user", id: "u1", name: "alice" },
  outcome: "success",
  address: "192.0.2.1",
  ...parts,
});

/** A trail over a store, a clock that stands still, and what it told of itself. */
export function openTrail(store: AuditStore, parts: Partial<TrailOptions> = {}) {
  const clock = manualClock(SAMPLE_NOW_MS);
  const announced: AuditEvent[] = [];
  const failures: unknown[] = [];
  const trail: Trail = createTrail({
    store,
    signer,
    clock,
    announce: (told) => void announced.push(told),
    onFailure: (error) => void failures.push(error),
    tickMs: 5,
    ...parts,
  });
  return { trail, clock, announced, failures };
}
