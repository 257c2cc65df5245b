import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { openStores } from "../../src/stores/open.ts";
import { rounds } from "../rounds.ts";
import { createDatabase, temporaryDirectory } from "./temporary-stores.ts";

const ROUNDS = rounds(20, 3);

/** Starts a process that writes without end, and resolves to what it acknowledged until it was killed outright. */
async function acknowledgedUntilKilled(databaseUrl: string, round: number): Promise<string[]> {
  const writer = spawn(process.execPath, [
    join(import.meta.dirname, "endless-writer.ts"),
    databaseUrl,
    String(round),
  ]);
  const exited = once(writer, "exit");
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === 1 + round * 2) writer.kill("SIGKILL");
  }
  const [, signal] = await exited;
  assert.equal(signal, "SIGKILL");
  return acknowledged;
}

it(`keeps every acknowledged write when the process is killed, ${ROUNDS} times over`, async () => {
  const { directory, remove } = temporaryDirectory();
  try {
    const databaseUrl = `sqlite:${await createDatabase(directory)}`;
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await acknowledgedUntilKilled(databaseUrl, round);
      assert.ok(acknowledged.length > 2 * round);
      const stores = await openStores({ databaseUrl });
      try {
        for (const line of acknowledged) {
          const [kind, id] = line.split(" ") as [string, string];
          if (kind === "revoked") assert.equal(await stores.revocations.isRevoked(id), true, line);
          if (kind === "ended") assert.notEqual((await stores.sessions.findById(id))?.endedAtMs, null, line);
          if (kind === "rotated")
            assert.notEqual((await stores.refreshTokens.find(id))?.usedAtMs, null, line);
        }
      } finally {
        await stores.close();
      }
    }
  } finally {
    remove();
  }
});
