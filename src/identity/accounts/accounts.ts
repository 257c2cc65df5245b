import type { Passwords } from "../../crypto/password.ts";
import { passwordFault } from "../../crypto/password-fault.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/failure.ts";
import type { Role } from "../../kernel/principal.ts";
import { isRole, ROLES } from "../../kernel/principal.ts";
import { problem } from "../../kernel/problem.ts";
import type { Random } from "../../kernel/random.ts";
import { randomToken, uuidv7 } from "../../kernel/random.ts";
import type { FactorMethod, FactorStore } from "../factors/factor.ts";
import { asksForFactor, methodsOf, NO_FACTORS } from "../factors/factor.ts";
import type { Session } from "../sessions/session.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Account, AccountStore } from "./account.ts";
import { instantOfChange } from "./account.ts";
import { isEmailAddress } from "./email-address.ts";
import type { Lockouts } from "./lockouts.ts";
import { lockEvent } from "./lockouts.ts";
import { canonicalUsername } from "./username.ts";

export interface NewAccount {
  readonly username: string;
  readonly email: string | null;
  readonly password: string;
  readonly role: Role;
}

/** What an administrator may change about an account. */
export interface AccountChange {
  readonly email?: string | null;
  readonly role?: Role;
  readonly disabled?: boolean;
}

/** Whose password was right, and what more that account asks for. */
export interface ProvedAccount {
  readonly account: Account;
  /** Whether a second factor is asked for: nobody has signed in yet then, even where `methods` is empty. */
  readonly needsFactor: boolean;
  /** What that factor may be proved with here. */
  readonly methods: readonly FactorMethod[];
}

export interface Accounts {
  /**
   * The account that a name and password prove, or `undefined`: for a wrong password, an unknown name, a disabled
   * account, a locked name or an account without a password alike, at the same cost (ASVS V6.3.8). Each try is counted
   * by the name, and the failure that locks it is told. Where it `needsFactor`, nobody has signed in yet.
   */
  authenticate(username: string, password: string, act: Act): Promise<ProvedAccount | undefined>;
  /** Refuses a bad name, password, e-mail address or role (`validation_failed`) and a taken name (`conflict`). */
  create(account: NewAccount, act: Act): Promise<Account>;
  /**
   * Changes an account. Disabling it ends its sessions, another role those of browsers, and enabling it lifts a lock.
   * `undefined` where it is gone; the last admin is `conflict`.
   */
  change(id: string, change: AccountChange, act: Act): Promise<Account | undefined>;
  /** Lets an account that is locked sign in again at once; resolves to whether it was locked. */
  unlock(account: Account, act: Act): Promise<boolean>;
  /**
   * Sets a new password, which ends every session but `current`, in one step: a session counts only if its user was
   * authenticated in it since. Resolves to the new secret of `current`, where it is a browser's.
   */
  setPassword(account: Account, password: string, act: Act, current?: Session): Promise<{ secret?: string }>;
}

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly sessions: Sessions;
  readonly lockouts: Lockouts;
  readonly factors: Pick<FactorStore, "summaryOf">;
  /** Whether passkeys can be shown. */
  readonly passkeysOn: boolean;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { store, sessions, lockouts, factors, passkeysOn, passwords, clock, random, events } = options;

  /** A better hash can wait for another sign-in; a right password must not be refused for want of it. */
  async function upgradeHash({ id, passwordHash }: Account, password: string): Promise<void> {
    if (passwordHash === null) return;
    try {
      await store.upgradePasswordHash(id, passwordHash, await passwords.hash(password));
    } catch (error) {
      if (!(error instanceof Refusal && error.problem.code === "overloaded")) throw error;
    }
  }

  /** Hashing takes its time: what was proved is only worth what the account says once it is done. */
  async function prove(
    account: Account | undefined,
    password: string,
  ): Promise<{ account: Account; needsUpgrade: boolean } | undefined> {
    const { ok, needsUpgrade } = await passwords.verify(password, account?.passwordHash ?? null);
    if (!ok || account === undefined) return undefined;
    const current = await store.findById(account.id);
    if (current === undefined || current.disabled || current.passwordHash === null) return undefined;
    if (current.passwordHash === account.passwordHash) return { account: current, needsUpgrade };
    // A change of password is dated; without one, another sign-in has put a better hash in its place.
    return current.passwordChangedAtMs === account.passwordChangedAtMs ? prove(current, password) : undefined;
  }

  async function unlock(account: Account, act: Act): Promise<boolean> {
    events.assertWritable?.();
    const wasLocked = await lockouts.unlock(account.usernameKey, act.atMs);
    if (wasLocked) {
      const details = { locked: false };
      await events.record({ ...act, name: "user.updated", outcome: "success", subject: account.id, details });
    }
    return wasLocked;
  }

  return {
    unlock,
    async authenticate(username, password, act) {
      const name = canonicalUsername(username);
      const account = name && (await store.findByUsernameKey(name.key));
      const proved = await prove(account, password);
      if (name === undefined) return undefined;
      const summary = proved === undefined ? NO_FACTORS : await factors.summaryOf(proved.account.id);
      const needsFactor = asksForFactor(summary);
      const counts = proved !== undefined && (!needsFactor || "partly");
      // After the hash, for the same cost; before anything else that only a right password leads to.
      const outcome = await lockouts.settle(name.key, counts, act);
      // A name without an account is told too: its last try must cost what another's does.
      if (outcome === "locked_now") await events.record(lockEvent(act, account?.id ?? name.key));
      if (proved === undefined || outcome !== "granted") return undefined;
      if (proved.needsUpgrade) await upgradeHash(proved.account, password);
      return { account: proved.account, needsFactor, methods: methodsOf(summary, { passkeysOn }) };
    },

    async create(wanted, act) {
      events.assertWritable?.();
      const name = canonicalUsername(wanted.username);
      if (name === undefined) {
        throw invalid(
          "username",
          "must be 1 to 64 letters, digits or . _ @ + -, beginning with a letter or digit",
        );
      }
      refuseBadEmail(wanted.email);
      refuseBadRole(wanted.role);
      refuseBadPassword("password", wanted.password, [name.key, wanted.email]);
      const account: Account = {
        id: uuidv7(act.atMs, random),
        username: name.display,
        usernameKey: name.key,
        email: wanted.email,
        role: wanted.role,
        disabled: false,
        passwordHash: await passwords.hash(wanted.password),
        createdAtMs: act.atMs,
        lastLoginAtMs: null,
        passwordChangedAtMs: act.atMs,
        roleChangedAtMs: act.atMs,
      };
      if ((await store.create(account)) === "conflict") {
        throw new Refusal(problem("conflict", "This user name cannot be had. Choose another."));
      }
      await events.record({
        ...act,
        name: "user.created",
        outcome: "success",
        subject: account.id,
        details: { role: account.role },
      });
      return account;
    },

    async change(id, change, act) {
      events.assertWritable?.();
      refuseBadEmail(change.email);
      refuseBadRole(change.role);
      // The instant of the change, as at a change of password.
      const roleChangedAtMs = clock.now();
      const outcome = await store.update(id, { ...change, roleChangedAtMs });
      if (outcome.kind === "not_found") return undefined;
      if (outcome.kind === "last_admin") {
        throw new Refusal(problem("conflict", "This is the last admin. Make another user admin first."));
      }
      const { account } = outcome;
      if (change.disabled) await sessions.endAll(account.id, act);
      else if (change.role !== undefined && account.roleChangedAtMs >= roleChangedAtMs)
        await sessions.endBrowsers(account.id, act);
      await events.record({
        ...act,
        name: change.disabled ? "user.disabled" : "user.updated",
        outcome: "success",
        subject: account.id,
        details: { ...change },
      });
      if (change.disabled === false) await unlock(account, act);
      return account;
    },

    async setPassword(account, password, act, current) {
      events.assertWritable?.();
      refuseBadPassword("new_password", password, [account.usernameKey, account.email]);
      const passwordHash = await passwords.hash(password);
      // The instant of the change, not of the request: a sign-in with the old password that began while this one was
      // being hashed is older than the change, and its session does not count.
      const changedAtMs = instantOfChange(account, clock.now());
      // The kept session first: its user has just proved the old password, and a crash between the two loses nothing.
      const renewed = current && (await sessions.reauthenticate(current, { ...act, atMs: changedAtMs }));
      await store.update(account.id, { passwordHash, passwordChangedAtMs: changedAtMs });
      await sessions.endAll(account.id, act, current?.id);
      await events.record({ ...act, name: "auth.password.changed", outcome: "success", subject: account.id });
      return renewed ?? {};
    },
  };
}

/** A first password for an operator to hand over: 120 bits. */
export function generatePassword(random: Random): string {
  return randomToken(random, 15);
}

function refuseBadEmail(email: string | null | undefined): void {
  if (email != null && !isEmailAddress(email)) throw invalid("email", "must be an e-mail address");
}

function refuseBadRole(role: Role | undefined): void {
  if (role !== undefined && !isRole(role)) throw invalid("role", `must be one of ${ROLES.join(", ")}`);
}

function refuseBadPassword(field: string, password: string, context: readonly (string | null)[]): void {
  const fault = passwordFault(password);
  if (fault !== undefined) throw invalid(field, fault);
  // ASVS V6.2.11: what is already known of the account is no secret.
  if (context.some((word) => word !== null && word.toLowerCase() === password.toLowerCase())) {
    throw invalid(field, "must not be the user name or e-mail address");
  }
}

function invalid(field: string, message: string): Refusal {
  return new Refusal(problem("validation_failed", `${field} ${message}.`, { errors: [{ field, message }] }));
}
