import assert from "node:assert/strict";
import { it } from "node:test";
import { sha256Base64url } from "../../src/crypto/digest.ts";
import { randomToken, systemRandom, uuidv7 } from "../../src/kernel/random.ts";
import { openStores } from "../../src/stores/open.ts";
import { sampleRefreshToken, sampleSession } from "../../src/testing/samples.ts";
import type { Served } from "../cli/command.ts";
import { kyrosCommand } from "../cli/command.ts";
import { rounds } from "../rounds.ts";
import { addUsers, PASSWORD } from "./add-user.ts";
import { ask, bearer } from "./ask.ts";
import type { Deed, Means } from "./killed-service.ts";
import { workUntilGone } from "./killed-service.ts";

/** Two databases, each with a service that is killed and started again: twice the kills in the same time. */
const LANES = 2;
const ROUNDS = rounds(25, 3);
const CLIENTS = 3;
const SESSIONS = 400;
const HOUR_MS = 3_600_000;

/** Sessions of a user that nobody has used yet, each with its refresh token, straight in the store. */
async function startSessions(databaseUrl: string, userId: string): Promise<readonly string[]> {
  const stores = await openStores({ databaseUrl });
  const nowMs = Date.now();
  const times = { createdAtMs: nowMs, lastSeenAtMs: nowMs, authenticatedAtMs: nowMs };
  const ends = { expiresAtMs: nowMs + HOUR_MS, idleExpiresAtMs: nowMs + HOUR_MS };
  const tokens: string[] = [];
  for (let n = 0; n < SESSIONS; n += 1) {
    const [id, token] = [uuidv7(nowMs, systemRandom), randomToken(systemRandom)];
    await stores.sessions.start(
      sampleSession(n, { id, userId, kind: "token", secretHash: null, ...times, ...ends }),
    );
    const hash = sha256Base64url(token);
    await stores.refreshTokens.issue(
      sampleRefreshToken(token, {
        hash,
        sessionId: id,
        userId,
        issuedAtMs: nowMs,
        expiresAtMs: nowMs + HOUR_MS,
      }),
    );
    tokens.push(token);
  }
  await stores.close();
  return tokens;
}

/** Returns how many steps were acknowledged, all of which were found again after the kill that followed them. */
async function runLane(lane: number): Promise<number> {
  const kyros = await kyrosCommand({ KYROS_RATE_LIMIT: "off", KYROS_LOGIN_RATE_LIMIT: "off" });
  let served: Served | undefined;
  try {
    await addUsers(kyros.databaseUrl, { name: "alice" });
    served = await kyros.serve();
    const login = await ask(served, "POST", "/auth/login", {}, { username: "alice", password: PASSWORD });
    const alice = bearer(login.body.access_token);
    const client = (await ask(served, "POST", "/auth/api-keys", alice, { name: "client" })).body;
    const { id: userId } = (await ask(served, "GET", "/auth/user", alice)).body;
    const tokens = [...(await startSessions(kyros.databaseUrl, userId))];
    const means: Means = { alice, client, nextRefreshToken: () => tokens.pop()! };

    let total = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const running: Served = served;
      let acknowledged = 0;
      let killed: Promise<unknown> | undefined;
      const deeds: Deed[] = [];
      const clients = Array.from({ length: CLIENTS }, async (_, at) => {
        const first = (round + lane) * CLIENTS + at * 3;
        deeds.push(
          ...(await workUntilGone(running, means, first, () => {
            acknowledged += 1;
            if (acknowledged === 1 + round) killed = running.kill();
          })),
        );
      });
      await Promise.all(clients);
      await killed;
      assert.ok(acknowledged > round);
      total += acknowledged;
      served = await kyros.serve();
      const revived = served;
      await Promise.all(deeds.map((deed) => deed.verify(revived)));
      // A user may have a hundred keys, no more.
      const { items } = (await ask(served, "GET", "/auth/api-keys?limit=200", alice)).body;
      const spare = items.filter(({ id }: { id: string }) => id !== client.id);
      await Promise.all(
        spare.map(({ id }: { id: string }) => ask(revived, "DELETE", `/auth/api-keys/${id}`, alice)),
      );
    }
    return total;
  } finally {
    await served?.kill();
    await kyros.remove();
  }
}

it(`R39: nothing that the service acknowledged is lost when it is killed, ${2 * ROUNDS} times over`, async (t) => {
  const totals = await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
  t.diagnostic(`${totals.reduce((sum, one) => sum + one)} acknowledged steps`);
});
