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

/** Who signs in, as read when that was proved. */
export type SessionUser = Pick<User, "id" | "username"> & AccountChanges;

/** Sessions from their start to their end; every end is durable, and told, before it resolves. */
export interface Sessions {
  /** Starts a browser session; `secret` is the cookie's value and exists nowhere else. */
  startBrowser(user: SessionUser, act: Act): Promise<{ session: Session; secret: string }>;
  /** Starts the session that a family of access and refresh tokens belongs to. */
  startToken(user: SessionUser, act: Act): Promise<Session>;
  /**
   * Notes that the user has proved a primary credential again, and gives a browser session a new secret with it
   * (ASVS V7.2.4). `undefined` where the session has ended or was raced; a token session has no secret.
   */
  reauthenticate(session: Session, act: Act): Promise<{ secret?: string } | undefined>;
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

  return {
    async startBrowser(user, act) {
      const secret = randomToken(random);
      return { session: await start("browser", user, act, sha256Base64url(secret)), secret };
    },
    startToken: (user, act) => start("token", user, act, null),
    async reauthenticate(session, act) {
      const secret = session.secretHash === null ? undefined : randomToken(random);
      const newHash = secret === undefined ? null : sha256Base64url(secret);
      const renewed = await store.reauthenticate(session.id, session.secretHash, newHash, act.atMs);
      return renewed ? { ...(secret !== undefined && { secret }) } : undefined;
    },
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
