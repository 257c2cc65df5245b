/** Revokes, rotates and ends without end, and says so on standard output after each that is acknowledged. */
import { writeSync } from "node:fs";
import { openStores } from "../../src/stores/open.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleHash,
  sampleRefreshToken,
  sampleSession,
} from "../../src/testing/samples.ts";

const [databaseUrl, round] = process.argv.slice(2) as [string, string];
const stores = await openStores({ databaseUrl });

for (let n = 0; ; n += 1) {
  const name = `${round}-${n}`;
  await stores.revocations.revoke(name, NOW_MS);
  acknowledge("revoked", name);
  const id = `session-${name}`;
  await stores.sessions.start(sampleSession(1, { id, secretHash: sampleHash(id) }));
  await stores.refreshTokens.issue(sampleRefreshToken(name, { sessionId: id }));
  await stores.refreshTokens.rotate({
    hash: sampleHash(name),
    successorHash: sampleHash(`next-${name}`),
    nowMs: NOW_MS,
    graceMs: 0,
    successorExpiresAtMs: NOW_MS + 1,
  });
  acknowledge("rotated", sampleHash(name));
  await stores.sessions.end(id, sampleSession(1).userId, NOW_MS);
  acknowledge("ended", id);
}

function acknowledge(what: string, id: string): void {
  writeSync(1, `${what} ${id}\n`);
}
