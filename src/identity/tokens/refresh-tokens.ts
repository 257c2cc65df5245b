import { isCanonicalBase64url } from "../../crypto/base64url.ts";
import { hmacSha256, sha256Base64url } from "../../crypto/digest.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Random } from "../../kernel/random.ts";
import { randomToken } from "../../kernel/random.ts";
import type { Session } from "../sessions/session.ts";
import type { RefreshTokenStore, RotateOutcome } from "./refresh-token.ts";

export interface RefreshTokensOptions {
  readonly store: RefreshTokenStore;
  readonly random: Random;
  readonly events: EventSink;
  /** Each derives successors, the current one first; 32 bytes of its own purpose. */
  readonly keys: readonly Uint8Array[];
  readonly ttlMs: number;
  /** How long a used token still answers with its successor (ms). */
  readonly graceMs: number;
}

export type Refreshed =
  | {
      readonly kind: "refreshed";
      readonly token: string;
      readonly sessionId: string;
      readonly userId: string;
    }
  | Extract<RotateOutcome, { kind: "reused" | "refused" }>;

export interface RefreshTokens {
  issue(session: Session, nowMs: number): Promise<string>;
  /** Trades a token for its successor, once; see `RefreshTokenStore.rotate` for what a second use means. */
  refresh(token: string, act: Act): Promise<Refreshed>;
  /** The session a token belongs to, for its holder to revoke or inspect; `undefined` where it is none. */
  sessionOf(token: string, nowMs: number): Promise<{ sessionId: string; userId: string } | undefined>;
}

/** 256 bits in unpadded base64url. */
const TOKEN_LENGTH = 43;

/**
 * Refresh tokens (RFC 6749 section 6; rotation by RFC 9700 section 4.14.2; ASVS V10.4.5). A successor is the HMAC of
 * the token it follows: so the same one can be given again within the grace, to another tab or after a lost reply,
 * though the server keeps nothing but hashes.
 */
export function createRefreshTokens(options: RefreshTokensOptions): RefreshTokens {
  const { store, random, events, keys, ttlMs, graceMs } = options;

  async function refused(
    cause: Extract<RotateOutcome, { kind: "refused" }>["cause"],
    act: Act,
  ): Promise<Refreshed> {
    const reason = `refresh token: ${cause}`;
    await events.record({ ...act, name: "auth.token.rejected", outcome: "failure", reason });
    return { kind: "refused", cause };
  }

  /** The successor that a used token was traded for, whichever key made it. */
  async function firstGiven(hash: string, successors: readonly string[]): Promise<string | undefined> {
    const used = await store.find(hash);
    return successors.find((successor) => sha256Base64url(successor) === used?.successorHash);
  }

  return {
    async issue(session, nowMs) {
      const token = randomToken(random);
      await store.issue({
        hash: sha256Base64url(token),
        sessionId: session.id,
        userId: session.userId,
        issuedAtMs: nowMs,
        expiresAtMs: nowMs + ttlMs,
        usedAtMs: null,
        successorHash: null,
      });
      return token;
    },

    async refresh(token, act) {
      if (!isRefreshToken(token)) return refused("unknown", act);
      events.assertWritable?.();
      const hash = sha256Base64url(token);
      const successors = keys.map((key) => hmacSha256(key, token).toString("base64url"));
      const [successorHash, ...otherSuccessorHashes] = successors.map(sha256Base64url);
      const outcome = await store.rotate({
        hash,
        successorHash: successorHash!,
        ...(otherSuccessorHashes.length > 0 && { otherSuccessorHashes }),
        nowMs: act.atMs,
        graceMs,
        successorExpiresAtMs: act.atMs + ttlMs,
      });
      switch (outcome.kind) {
        case "refused":
          return refused(outcome.cause, act);
        case "reused": {
          const { sessionId } = outcome;
          const reason = "a used refresh token came again; its session was ended";
          await events.record({
            ...act,
            name: "auth.token.reused",
            outcome: "failure",
            subject: sessionId,
            reason,
          });
          await events.record({
            ...act,
            name: "auth.session.ended",
            outcome: "success",
            subject: sessionId,
            reason,
          });
          return outcome;
        }
        case "rotated":
          await events.record({
            ...act,
            name: "auth.token.refreshed",
            outcome: "success",
            subject: outcome.sessionId,
          });
      }
      const given =
        outcome.kind === "rotated" || successors.length === 1
          ? successors[0]
          : await firstGiven(hash, successors);
      if (given === undefined) return refused("unknown", act);
      return { kind: "refreshed", token: given, sessionId: outcome.sessionId, userId: outcome.userId };
    },

    async sessionOf(token, nowMs) {
      if (!isRefreshToken(token)) return undefined;
      const found = await store.find(sha256Base64url(token));
      if (found === undefined || nowMs >= found.expiresAtMs || found.usedAtMs !== null) return undefined;
      return { sessionId: found.sessionId, userId: found.userId };
    },
  };
}

/** Whether a text can be a refresh token at all: only the one spelling that was handed out. */
function isRefreshToken(text: string): boolean {
  return text.length === TOKEN_LENGTH && isCanonicalBase64url(text);
}
