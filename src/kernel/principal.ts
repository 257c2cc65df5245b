import type { LimitPolicy } from "./limiter.ts";

/** From least to most; a role includes those before it. */
export const ROLES = ["user", "moderator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Whether a text that may come from anywhere is the name of a role. */
export function isRole(text: unknown): text is Role {
  return (ROLES as readonly unknown[]).includes(text);
}

/** Whether `held` is `needed` or above it in the hierarchy user < moderator < admin. */
export function roleIncludes(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed);
}

/** An account in the words of a handler: who the caller is, as of this request. */
export interface User {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly role: Role;
}

/** How the caller proved who it is. */
export type CredentialKind = "access_token" | "session" | "api_key";

/** Nobody in particular. A value, never `null`, so that no check can be skipped by forgetting one. */
export interface Anonymous {
  readonly kind: "anonymous";
}

/** A person, by an access token or a browser session of theirs. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly user: User;
  readonly credential: "access_token" | "session";
  readonly sessionId: string;
  /** `jti` of the access token; absent for a browser session. */
  readonly tokenId?: string;
  /** Absent: everything the role allows. Present: nothing beyond these. */
  readonly scopes?: readonly string[];
  /** When the caller last proved a primary credential, for step-up (ms since the epoch). */
  readonly authenticatedAtMs: number;
  /** Whether a second factor was proved in this session too, or a passkey that is two in one. */
  readonly mfa: boolean;
}

/**
 * What a person's CSRF proof is bound to: the session, since a primary credential was last proved in it. So the proofs
 * of before a sign-in, a change of password or a step-up are dead, as the cookie of before is (ASVS V7.2.4).
 */
export function bindingOf({ sessionId, authenticatedAtMs }: UserPrincipal): string {
  return `${sessionId}@${authenticatedAtMs}`;
}

/** A program, by an API key: for its owner where it has one, else for itself. */
export interface ServicePrincipal {
  readonly kind: "service";
  readonly user: User;
  readonly credential: "api_key" | "access_token";
  readonly keyId: string;
  readonly keyName: string;
  /** The owner's user id; absent for a key that stands for itself. */
  readonly ownerId?: string;
  readonly scopes: readonly string[];
  /** The key's own limits, in place of the default one; none where it is absent. */
  readonly limits?: readonly LimitPolicy[];
  readonly authenticatedAtMs: number;
}

export type Authenticated = UserPrincipal | ServicePrincipal;
export type Principal = Anonymous | Authenticated;

export const ANONYMOUS: Anonymous = Object.freeze({ kind: "anonymous" });
