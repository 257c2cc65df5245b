import { equalInConstantTime, hmacSha256 } from "../crypto/digest.ts";
import type { Keyring } from "../crypto/keyring.ts";
import type { AuditQuery } from "../identity/audit/audit-store.ts";

/** Where a page ended: the instant and number of its last entry. */
export type Position = NonNullable<AuditQuery["before"]>;
export type Filters = Omit<AuditQuery, "before" | "limit">;

/** Cursors that say nothing but what this service gave out, and only for the filters that they were given out for. */
export interface AuditCursors {
  issue(position: Position, filters: Filters): string;
  /** `undefined` for whatever was not issued for these filters. */
  read(cursor: string, filters: Filters): Position | undefined;
}

const LABEL = "kyros/audit-cursor";
const CURSOR = /^([0-9]{1,16})\.([0-9]{1,16})\.([A-Za-z0-9_-]{43})$/;

export function createAuditCursors(keyring: Keyring): AuditCursors {
  const keys = keyring.deriveAll(LABEL, 32);

  function mac(key: Uint8Array, { atMs, seq }: Position, filters: Filters): Buffer {
    const { type = null, parties = null, fromMs = null, toMs = null } = filters;
    return hmacSha256(key, JSON.stringify([atMs, seq, type, parties, fromMs, toMs]));
  }

  return {
    issue(position, filters) {
      const code = mac(keys[0]!, position, filters).toString("base64url");
      return `${position.atMs}.${position.seq}.${code}`;
    },
    read(cursor, filters) {
      const match = CURSOR.exec(cursor);
      if (match === null) return undefined;
      const position = { atMs: Number(match[1]), seq: Number(match[2]) };
      const code = Buffer.from(match[3]!, "base64url");
      return keys.some((key) => equalInConstantTime(mac(key, position, filters), code))
        ? position
        : undefined;
    },
  };
}
