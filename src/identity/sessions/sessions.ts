import { sha256Base64url } from "../../crypto/digest.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { User } from "../../kernel/principal.ts";
import type { Random } from "../../kernel/random.ts";
import { randomToken, uuidv7 } from "../../kernel/random.ts";
import type { AccountChanges } from "../accounts/account.ts";
import { instantOfSignIn } from "../accounts/account.ts";
import type { Session, SessionStore } from "./session.ts";

export interface SessionsOptions {
  readonly store: SessionStore;
  readonly random: Random;
  readonly events: EventSink;
  /** Absolute life of any session (ms). */
  readonly maxTtlMs: number;
  /** Life without use (ms): a browser's cookie, and a family of tokens. */
  readonly idleTtlMs: { readonly browser: number; readonly token: number };
}

/** How strongly a sign-in was proved. */
export type Assurance = Pick<Session, "mfa">;

const PASSWORD_ALONE: Assurance = Object.freeze({ mfa: false });

/** Who signs in, as read when that was proved. */
export type SessionUser = Pick<User, "id" | "username"> & AccountChanges;

/** Sessions from their start to their end; every end is durable, and told, before it resolves. */
export interface Sessions {
  /** Starts a browser session; `secret` is the cookie's value and exists nowhere else. */
  startBrowser(
    user: SessionUser,
    act: Act,
    assurance?: Assurance,
  ): Promise<{ session: Session; secret: string }>;
  /** Starts the session that a family of access and refresh tokens belongs to. */
  startToken(user: SessionUser, act: Act, assurance?: Assurance): Promise<Session>;
  /**
   * Notes that the user has proved a primary credential again, and gives a browser session a new secret with it
   * (ASVS V7.2.4). `undefined` where the session has ended or was raced; a token session has no secret.
   */
  reauthenticate(session: Session, act: Act): Promise<{ secret?: string } | undefined>;
  /**
   * Gives a session a new secret and a new binding for its CSRF proofs where what its user signs in with has changed,
   * though nothing was proved anew: it is no fresher than before. `undefined` as of `reauthenticate`.
   */
  renew(session: Session, assurance: Assurance): Promise<{ secret?: string } | undefined>;
  /** Ends one of a user's sessions; `false` where it had ended or is not that user's. */
  end(sessionId: string, userId: string, act: Act): Promise<boolean>;
  /** Ends the session that a browser's cookie stands for, whoever's it is; nothing where there is none. */
  endBySecret(secret: string, act: Act): Promise<void>;
  /** Ends all of a user's sessions but one. */
  endAll(userId: string, act: Act, exceptId?: string): Promise<void>;
  /** Ends a user's live browser sessions. */
  endBrowsers(userId: string, act: Act): Promise<void>;
}

/** A user agent is the client's own words: kept short, for people to recognise a device by. */
const MOST_USER_AGENT = 256;

export function createSessions(options: SessionsOptions): Sessions {
  const { store, random, events, maxTtlMs, idleTtlMs } = options;

  async function start(
    kind: Session["kind"],
    user: SessionUser,
    act: Act,
    secretHash: string | null,
    { mfa }: Assurance,
  ): Promise<Session> {
    events.assertWritable?.();
    const nowMs = act.atMs;
    const session: Session = {
      id: uuidv7(nowMs, random),
      userId: user.id,
      kind,
      secretHash,
      userAgent: act.userAgent?.slice(0, MOST_USER_AGENT) ?? null,
      address: act.address ?? "",
      createdAtMs: nowMs,
      lastSeenAtMs: nowMs,
      authenticatedAtMs: instantOfSignIn(user, nowMs),
      mfa,
      expiresAtMs: nowMs + maxTtlMs,
      idleExpiresAtMs: nowMs + idleTtlMs[kind],
      endedAtMs: null,
    };
    await store.start(session);
    await events.record({
      ...act,
      name: "auth.session.started",
      outcome: "success",
      actor: { kind: "user", id: user.id, name: user.username },
      subject: session.id,
    });
    return session;
  }

  async function recordEnd(sessionId: string, act: Act): Promise<void> {
    await events.record({ ...act, name: "auth.session.ended", outcome: "success", subject: sessionId });
  }

  async function end(sessionId: string, userId: string, act: Act): Promise<boolean> {
    events.assertWritable?.();
    const ended = await store.end(sessionId, userId, act.atMs);
    if (ended) await recordEnd(sessionId, act);
    return ended;
  }

  async function replaceSecret(
    { id, secretHash }: Session,
    authenticatedAtMs: number,
    mfa?: boolean,
  ): Promise<{ secret?: string } | undefined> {
    const secret = secretHash === null ? undefined : randomToken(random);
    const newHash = secret === undefined ? null : sha256Base64url(secret);
    const replaced = await store.reauthenticate(id, secretHash, newHash, authenticatedAtMs, mfa);
    return replaced ? { ...(secret !== undefined && { secret }) } : undefined;
  }

  return {
    async startBrowser(user, act, assurance = PASSWORD_ALONE) {
      const secret = randomToken(random);
      const session = await start("browser", user, act, sha256Base64url(secret), assurance);
      return { session, secret };
    },
    startToken: (user, act, assurance = PASSWORD_ALONE) => start("token", user, act, null, assurance),
    reauthenticate: (session, act) => replaceSecret(session, act.atMs),
    // The binding of CSRF proofs is made of the instant (`bindingOf`): the smallest step is another one.
    renew: (session, { mfa }) => replaceSecret(session, session.authenticatedAtMs + 1, mfa),
    end,
    async endBySecret(secret, act) {
      const session = await store.findBySecretHash(sha256Base64url(secret));
      if (session !== undefined) await end(session.id, session.userId, act);
    },
    async endAll(userId, act, exceptId) {
      events.assertWritable?.();
      const ended = await store.endAll(userId, act.atMs, exceptId);
      await Promise.all(ended.map((id) => recordEnd(id, act)));
    },
    async endBrowsers(userId, act) {
      const live = await store.listLive(userId, act.atMs);
      for (const { id, kind } of live) if (kind === "browser") await end(id, userId, act);
    },
  };
}
