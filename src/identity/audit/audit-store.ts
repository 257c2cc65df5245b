import type { EventName } from "../../kernel/audit-event.ts";

/** A point of the chain: the number and hash of its entry; number 0 is before the first. */
export interface ChainHead {
  readonly seq: number;
  /** SHA-256 in base64url. */
  readonly hash: string;
}

/** A fact as the trail keeps it: flat, every text of bounded length and well-formed, absent things `null`. */
export interface AuditRecord {
  readonly atMs: number;
  readonly type: EventName;
  readonly outcome: "success" | "failure";
  readonly actorKind: "user" | "api_key" | "anonymous" | "operator" | "system";
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly subject: string | null;
  readonly requestId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly method: string | null;
  readonly path: string | null;
  readonly reason: string | null;
  /** How many facts this one stands for: more than 1 where noise was counted together. */
  readonly count: number;
  /** A flat object in canonical JSON. */
  readonly details: string | null;
}

/** A record in its place in the chain. */
export interface AuditEntry extends AuditRecord {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly previousHash: string;
  readonly hash: string;
}

/**
 * What the holder of the key says of the chain: `checkpoint`, that entry `seq` had this hash; `truncation`, that the
 * entries up to `seq` were removed because of their age, and that the chain goes on from this hash.
 */
export interface Statement extends ChainHead {
  readonly kind: "checkpoint" | "truncation";
  readonly atMs: number;
  /** Raw Ed25519 public key in base64url. */
  readonly publicKey: string;
  /** Ed25519 (RFC 8032) in base64url; see `statement.ts` for what is signed. */
  readonly signature: string;
}

/** What one transaction adds to the chain. */
export interface Appendix {
  readonly entries: readonly AuditEntry[];
  readonly statements: readonly Statement[];
}

export interface AuditQuery {
  readonly type?: EventName;
  /** Ids of a user, key or session, or a name that was tried: entries of what any of them did, and of what was done to it. */
  readonly parties?: readonly string[];
  /** From this instant on. */
  readonly fromMs?: number;
  /** Before this instant. */
  readonly toMs?: number;
  /** Entries older than this one: the last of the page before. */
  readonly before?: { readonly atMs: number; readonly seq: number };
  readonly limit: number;
}

/** The port of the audit trail: entries are added and, once they are old, removed; never changed. */
export interface AuditStore {
  /**
   * Adds what `link` makes of the chain's head, durably and whole or not at all. No other append, of this process or
   * another, comes between the head that `link` is given and the commit; `link` is called again where one did. Throws
   * `Outage` where it cannot be written.
   */
  append(link: (head: ChainHead) => Appendix): Promise<void>;
  /** The latest entry, as of the last commit; `undefined` where the trail has never had any. */
  head(): Promise<ChainHead | undefined>;
  /** Entries after `seq` in order, at most `limit`. */
  entriesAfter(seq: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Newest first, by instant and number. */
  list(query: AuditQuery): Promise<readonly AuditEntry[]>;
  /** All statements, in order of number and instant. */
  statements(): Promise<readonly Statement[]>;
  /**
   * Keeps a truncation record in place of every statement on entries up to its number, then removes those entries.
   * Resolves to how many were removed.
   */
  truncate(record: Statement): Promise<number>;
}
