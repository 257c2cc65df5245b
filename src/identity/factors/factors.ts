import type { NewCredential } from "../../crypto/passkey.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import { Refusal } from "../../kernel/failure.ts";
import type { UserPrincipal } from "../../kernel/principal.ts";
import { problem } from "../../kernel/problem.ts";
import type { Random } from "../../kernel/random.ts";
import { uuidv7 } from "../../kernel/random.ts";
import { FACTOR_FIRST } from "../../kernel/step-up.ts";
import type { AccountStore } from "../accounts/account.ts";
import type { SessionStore } from "../sessions/session.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { ChallengeStore } from "./challenge.ts";
import type { FactorMethod, FactorStore, FactorSummary, Passkey } from "./factor.ts";
import { asksForFactor } from "./factor.ts";
import { generateRecoveryCodes, hashRecoveryCode } from "./recovery-code.ts";
import type { NewTotpSecret, TotpSecrets } from "./totp-secrets.ts";

/** What a change of factors leaves the session it was made in with: a browser's has a new secret. */
export interface FactorChange {
  readonly secret?: string;
}

/** A user's second factors, from their enrolment to their removal. */
export interface Factors {
  /** A new TOTP secret, pending until a code confirms it; `conflict` where a confirmed one is there. */
  offerTotp(person: UserPrincipal, act: Act): Promise<NewTotpSecret>;
  /** Confirms the pending secret; `mfa_invalid` where the code is wrong. The codes exist nowhere else. */
  confirmTotp(
    person: UserPrincipal,
    code: string,
    act: Act,
  ): Promise<FactorChange & { readonly recoveryCodes: readonly string[] }>;
  /** `false` where there is none. */
  removeTotp(person: UserPrincipal, act: Act): Promise<FactorChange | false>;
  /** With recovery codes where the user had none. `conflict` where the credential is known already. */
  addPasskey(
    person: UserPrincipal,
    credential: NewCredential,
    name: string,
    act: Act,
  ): Promise<FactorChange & { readonly passkey: Passkey; readonly recoveryCodes?: readonly string[] }>;
  /** `false` where there is none of this id and user; `conflict` where it is all that an account signs in with. */
  removePasskey(person: UserPrincipal, id: string, act: Act): Promise<FactorChange | false>;
  /** Fresh recovery codes in place of all others; `conflict` where there is no factor for them to stand in for. */
  renewRecoveryCodes(
    person: UserPrincipal,
    act: Act,
  ): Promise<FactorChange & { readonly recoveryCodes: readonly string[] }>;
  /** Removes all factors of a user and ends all sessions: for who has lost them. Resolves to what there was. */
  reset(userId: string, act: Act): Promise<FactorSummary>;
  /** Throws `step_up_required` where a user with factors has not proved one in this session. */
  assertAssured(person: UserPrincipal): Promise<void>;
}

export interface FactorsOptions {
  readonly store: FactorStore;
  readonly challenges: ChallengeStore;
  readonly accounts: AccountStore;
  readonly sessionStore: SessionStore;
  readonly sessions: Sessions;
  readonly totpSecrets: TotpSecrets;
  readonly random: Random;
  readonly events: EventSink;
}

const MOST_PASSKEYS = 20;
export function createFactors(options: FactorsOptions): Factors {
  const { store, challenges, accounts, sessionStore, sessions, totpSecrets, random, events } = options;

  async function assertAssured({ user, mfa }: UserPrincipal): Promise<void> {
    if (mfa || !asksForFactor(await store.summaryOf(user.id))) return;
    throw new Refusal(FACTOR_FIRST);
  }

  /**
   * What follows any change of factors, as it follows a change of password: nothing that was begun before goes on. The
   * sign-ins under way are dead, the other sessions end, and the id of this one is another (ASVS V7.2.4, V7.4.3).
   */
  async function settle(
    person: UserPrincipal,
    act: Act,
    change: {
      readonly name: "auth.mfa.enrolled" | "auth.mfa.removed" | "auth.mfa.renewed";
      readonly method: FactorMethod;
    },
  ): Promise<FactorChange> {
    const { user, sessionId } = person;
    await challenges.cancelAll(user.id);
    const isLeft = asksForFactor(await store.summaryOf(user.id));
    // Who enrols has shown the factor here and now.
    const mfa = isLeft && (person.mfa || change.name === "auth.mfa.enrolled");
    const session = await sessionStore.findById(sessionId);
    const renewed = session && (await sessions.renew(session, { mfa }));
    await sessions.endAll(user.id, act, sessionId);
    await events.record({
      ...act,
      name: change.name,
      outcome: "success",
      subject: user.id,
      details: { method: change.method },
    });
    return renewed ?? {};
  }

  function newRecoveryCodes(userId: string): { codes: readonly string[]; hashes: readonly string[] } {
    const codes = generateRecoveryCodes(random);
    return { codes, hashes: codes.map((code) => hashRecoveryCode(userId, code)!) };
  }

  return {
    assertAssured,

    async offerTotp(person, act) {
      await assertAssured(person);
      const { user } = person;
      const id = uuidv7(act.atMs, random);
      const secret = totpSecrets.create({ id, userId: user.id }, user.username);
      const offered = await store.offerTotp({
        id,
        userId: user.id,
        sealedSecret: secret.sealedSecret,
        createdAtMs: act.atMs,
        confirmedAtMs: null,
        lastStep: null,
      });
      if (!offered) throw new Refusal(problem("conflict", "There is an authenticator app. Remove it first."));
      return secret;
    },

    async confirmTotp(person, code, act) {
      events.assertWritable?.();
      await assertAssured(person);
      const { user } = person;
      const factor = await store.findTotp(user.id);
      if (factor === undefined || factor.confirmedAtMs !== null) {
        throw new Refusal(
          problem("conflict", "There is nothing to confirm. Begin with POST /auth/mfa/totp."),
        );
      }
      const step = totpSecrets.match(factor, code, act.atMs);
      if (step === undefined) {
        const details = { method: "totp", enrolment: true };
        await events.record({
          ...act,
          name: "auth.mfa.failed",
          outcome: "failure",
          subject: user.id,
          details,
        });
        throw new Refusal(problem("mfa_invalid", "The code is wrong. Check the clock of the device."));
      }
      const { codes, hashes } = newRecoveryCodes(user.id);
      const confirmation = { id: factor.id, userId: user.id, step, nowMs: act.atMs };
      if (!(await store.confirmTotp({ ...confirmation, recoveryCodeHashes: hashes }))) {
        throw new Refusal(problem("conflict", "It was confirmed or begun anew just now. Look again."));
      }
      const change = await settle(person, act, { name: "auth.mfa.enrolled", method: "totp" });
      return { ...change, recoveryCodes: codes };
    },

    async removeTotp(person, act) {
      events.assertWritable?.();
      await assertAssured(person);
      if (!(await store.removeTotp(person.user.id))) return false;
      return settle(person, act, { name: "auth.mfa.removed", method: "totp" });
    },

    async addPasskey(person, credential, name, act) {
      events.assertWritable?.();
      await assertAssured(person);
      const userId = person.user.id;
      if ((await store.listPasskeys(userId)).length >= MOST_PASSKEYS) {
        throw new Refusal(problem("conflict", `Remove a passkey first: ${MOST_PASSKEYS} is the most.`));
      }
      const passkey: Passkey = {
        ...credential,
        id: uuidv7(act.atMs, random),
        userId,
        name,
        createdAtMs: act.atMs,
        lastUsedAtMs: null,
      };
      const { codes, hashes } = newRecoveryCodes(userId);
      const added = await store.addPasskey(passkey, hashes);
      if (added === "conflict") throw new Refusal(problem("conflict", "This passkey cannot be added."));
      const change = await settle(person, act, { name: "auth.mfa.enrolled", method: "passkey" });
      return { ...change, passkey, ...(added === "added_with_codes" && { recoveryCodes: codes }) };
    },

    async removePasskey(person, id, act) {
      events.assertWritable?.();
      await assertAssured(person);
      const userId = person.user.id;
      const account = await accounts.findById(userId);
      const removal = await store.removePasskey(id, userId, account?.passwordHash === null);
      if (removal === "unknown") return false;
      if (removal === "last") {
        throw new Refusal(problem("conflict", "This is the only way to sign in. Add another passkey first."));
      }
      return settle(person, act, { name: "auth.mfa.removed", method: "passkey" });
    },

    async renewRecoveryCodes(person, act) {
      events.assertWritable?.();
      await assertAssured(person);
      const { codes, hashes } = newRecoveryCodes(person.user.id);
      if (!(await store.replaceRecoveryCodes(person.user.id, hashes))) {
        throw new Refusal(problem("conflict", "Recovery codes stand in for a second factor. Add one first."));
      }
      const change = await settle(person, act, { name: "auth.mfa.renewed", method: "recovery_code" });
      return { ...change, recoveryCodes: codes };
    },

    async reset(userId, act) {
      events.assertWritable?.();
      const removed = await store.removeAll(userId);
      await challenges.cancelAll(userId);
      await sessions.endAll(userId, act);
      await events.record({
        ...act,
        name: "auth.mfa.removed",
        outcome: "success",
        subject: userId,
        reason: "reset by an operator",
        details: { totp: removed.totp, passkeys: removed.passkeys },
      });
      return removed;
    },
  };
}
