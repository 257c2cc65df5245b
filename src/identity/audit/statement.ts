import { verifyEd25519 } from "../../crypto/ed25519.ts";
import { deriveJwsKeys } from "../../crypto/jws-key.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { parseStrictJson } from "../../kernel/strict-json.ts";
import type { ChainHead, Statement } from "./audit-store.ts";

/** What keeps a signature of a statement from ever being one of something else. */
const STATEMENT_DOMAIN = "kyros/audit/statement/v1\n";
/** HKDF info of the seed, with the algorithm after it: `kyros/audit-statement/EdDSA`. */
const PURPOSE = "kyros/audit-statement";
const KINDS = { checkpoint: "audit-checkpoint/v1", truncation: "audit-truncation/v1" } as const;

/** Signs statements with the current secret's key, and knows those of former secrets. */
export interface StatementSigner {
  sign(kind: Statement["kind"], head: ChainHead, atMs: number): Statement;
  /** Raw public keys in base64url, the current one first. */
  readonly publicKeys: readonly string[];
}

export function createStatementSigner(keyring: Keyring): StatementSigner {
  const keys = deriveJwsKeys(keyring, PURPOSE, "EdDSA");
  const publicKeys = keys.map((key) => key.publicJwk!.x);
  return {
    publicKeys,
    sign(kind, { seq, hash }, atMs) {
      const unsigned = { kind, seq, hash, atMs, publicKey: publicKeys[0]! };
      return { ...unsigned, signature: keys[0].sign(STATEMENT_DOMAIN + signedText(unsigned)) };
    },
  };
}

/** Whether a statement was signed by one of the keys. */
export function isSignedBy(statement: Statement, publicKeys: readonly string[]): boolean {
  return (
    publicKeys.includes(statement.publicKey) &&
    verifyEd25519(statement.publicKey, STATEMENT_DOMAIN + signedText(statement), statement.signature)
  );
}

/** A statement as one line of JSON: what is signed, and the signature as its last member. */
export function statementLine(statement: Statement): string {
  return `${signedText(statement).slice(0, -1)},"signature":"${statement.signature}"}`;
}

function signedText({ kind, seq, hash, atMs, publicKey }: Omit<Statement, "signature">): string {
  return `{"kyros":"${KINDS[kind]}","seq":${seq},"hash":"${hash}","at":"${toRfc3339(atMs)}","public_key":"${publicKey}"}`;
}

/** Whether a line is meant as a statement, rightly or not. */
export function looksLikeStatement(line: string): boolean {
  return line.startsWith('{"kyros":');
}

/** Reads a line that `statementLine` wrote; `undefined` for any other text. Says nothing of its signature's worth. */
export function parseStatement(line: string): Statement | undefined {
  let value: unknown;
  try {
    value = parseStrictJson(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { kyros, seq, hash, at, public_key: publicKey, signature } = value as Record<string, unknown>;
  const kind = kyros === KINDS.checkpoint ? "checkpoint" : "truncation";
  if (typeof seq !== "number" || typeof at !== "string" || Number.isNaN(Date.parse(at))) return undefined;
  if (typeof hash !== "string" || typeof publicKey !== "string" || typeof signature !== "string")
    return undefined;
  const statement: Statement = { kind, seq, hash, atMs: Date.parse(at), publicKey, signature };
  return statementLine(statement) === line ? statement : undefined;
}
