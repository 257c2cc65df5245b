import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { generateSecret, openKeyring } from "../../src/crypto/keyring.ts";
import { type Account, toUser } from "../../src/identity/accounts/account.ts";
import { canonicalUsername } from "../../src/identity/accounts/username.ts";
import { generateKeyText } from "../../src/identity/api-keys/key-text.ts";
import { createAccessToken, createKyros } from "../../src/index.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { systemRandom, uuidv7 } from "../../src/kernel/random.ts";
import { openStores } from "../../src/stores/open.ts";

export interface Member {
  readonly id: string;
  readonly username: string;
  readonly token: string;
  readonly apiKey: string;
}

export type Credential = "token" | "api_key";

/** The one header by which a member shows a credential. */
export function credentialOf(member: Pick<Member, "token" | "apiKey">, shows: Credential): string {
  return shows === "token" ? `Bearer ${member.token}` : member.apiKey;
}

/** The users every contender knows, each with a token that every contender accepts. */
export interface Population {
  /** A folder of this run alone. */
  readonly folder: string;
  readonly members: readonly Member[];
  /** A token of the first member, but signed with another key, and an API key that nobody has: to be refused. */
  readonly forged: Pick<Member, "token" | "apiKey">;
  /** The arguments of a contender (see servers/settings.ts). */
  readonly args: readonly string[];
  remove(): Promise<void>;
}

const ISSUER = "kyros";
const AUDIENCE = "kyros";

/** Signs up `count` users in Kyros's own stores, and signs each in. */
export async function signUp(count: number, databaseUrl: string, secret: string) {
  const stores = await openStores({ databaseUrl });
  try {
    await stores.migrate();
    const open = (own: string) => createKyros({ secret: own, issuer: ISSUER, audience: AUDIENCE, stores });
    const kyros = open(secret);
    const forger = open(generateSecret(systemRandom));
    const nowMs = systemClock.now();
    const members: Member[] = [];
    let forged = { token: "", apiKey: generateKeyText(systemRandom).text };
    for (let at = 0; at < count; at++) {
      const id = uuidv7(nowMs, systemRandom);
      const username = `user-${1000 + at}`;
      const account: Account = {
        id,
        username,
        usernameKey: canonicalUsername(username)!.key,
        email: `${username}@example.com`,
        role: "user",
        disabled: false,
        passwordHash: null,
        createdAtMs: nowMs,
        lastLoginAtMs: null,
        passwordChangedAtMs: nowMs,
        roleChangedAtMs: nowMs,
      };
      await stores.accounts.create(account);
      const token = await createAccessToken(kyros, toUser(account));
      const key = await kyros.apiKeys.create(
        { name: username, ownerId: id, scopes: [], addressRanges: [], rateLimits: [], expiresAtMs: null },
        { atMs: nowMs, actor: { kind: "operator" } },
      );
      members.push({ id, username, token, apiKey: key.text });
      if (at === 0) forged = { ...forged, token: await createAccessToken(forger, toUser(account)) };
    }
    return { members, forged };
  } finally {
    await stores.close();
  }
}

/** The same users in the table that the peers read. */
function writePeersTable(file: string, members: readonly Member[]): void {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE users (
      id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, email TEXT NOT NULL, role TEXT NOT NULL,
      disabled INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    BEGIN`);
  const insert = db.prepare("INSERT INTO users (id, username, email, role) VALUES (?, ?, ?, 'user')");
  for (const { id, username } of members) insert.run(id, username, `${username}@example.com`);
  db.exec("COMMIT");
  db.close();
}

/** Makes `count` users with names of equal length, each signed in, in fresh SQLite files. */
export async function createPopulation(count: number): Promise<Population> {
  const folder = await mkdtemp(join(tmpdir(), "kyros-bench-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const peersDatabase = join(folder, "peers.db");
    const kyrosDatabaseUrl = `sqlite:${join(folder, "kyros.db")}`;
    const secret = generateSecret(systemRandom);
    const key = openKeyring({ current: secret }).derive("kyros/access-token/HS512", 64);
    const { members, forged } = await signUp(count, kyrosDatabaseUrl, secret);
    writePeersTable(peersDatabase, members);
    const args = [
      `--secret=${secret}`,
      `--key=${Buffer.from(key).toString("base64url")}`,
      `--issuer=${ISSUER}`,
      `--audience=${AUDIENCE}`,
      `--peers-database=${peersDatabase}`,
      `--kyros-database-url=${kyrosDatabaseUrl}`,
    ];
    return { folder, members, forged, args, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
