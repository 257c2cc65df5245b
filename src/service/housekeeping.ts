import { truncateTrail } from "../identity/audit/retention.ts";
import type { StatementSigner } from "../identity/audit/statement.ts";
import type { TotpSecrets } from "../identity/factors/totp-secrets.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Stores } from "../stores/open.ts";

const EVERY_MS = 3_600_000;
/** What is over is kept this long, for people who ask what happened yesterday (ms). */
const KEPT_MS = 7 * 86_400_000;

export interface HousekeepingParts {
  readonly stores: Pick<
    Stores,
    "sessions" | "refreshTokens" | "revocations" | "lockouts" | "challenges" | "factors" | "audit"
  >;
  readonly totpSecrets: Pick<TotpSecrets, "resealAll">;
  readonly signer: StatementSigner;
  /** How long entries of the audit trail are kept (ms); for ever where it is absent. */
  readonly auditRetentionMs: number | undefined;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Removes sessions, refresh tokens, revocations, challenges and counts of failed sign-ins that are over, and audit
 * entries past their retention, once an hour (ASVS V14.2.7); and encrypts with the current secret
 * what a former one has.
 */
export function startHousekeeping(parts: HousekeepingParts): { stop(): void } {
  const { stores, totpSecrets, signer, auditRetentionMs, clock, onFailure } = parts;
  let unopenedBefore = 0;

  async function purge(): Promise<void> {
    const nowMs = clock.now();
    await stores.refreshTokens.purge(nowMs - KEPT_MS);
    await stores.sessions.purge(nowMs - KEPT_MS);
    await stores.revocations.purge(nowMs);
    await stores.lockouts.purge(nowMs);
    await stores.challenges.purge(nowMs);
    if (auditRetentionMs !== undefined) {
      await truncateTrail(stores.audit, signer, nowMs - auditRetentionMs, nowMs);
    }
    await reseal();
  }

  /** What no secret opens is told when that begins, and when it changes, not every hour. */
  async function reseal(): Promise<void> {
    const { unopened } = await totpSecrets.resealAll(stores.factors);
    if (unopened > 0 && unopened !== unopenedBefore) {
      onFailure(
        new Error(
          `${unopened} TOTP factors do not open, and their users cannot sign in with them: ` +
            "put the former secret back into KYROS_SECRET_PREVIOUS, or reset their factors",
        ),
      );
    }
    unopenedBefore = unopened;
  }
  const timer = setInterval(() => void purge().catch(onFailure), EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
