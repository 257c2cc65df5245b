/** A process that writes to the trail of a database without end, and says what was acknowledged, a line each. */
import { createTrail } from "../../src/identity/audit/trail.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { openStores } from "../../src/stores/open.ts";
import { event, signer } from "./chains.ts";

const [databaseUrl, name] = process.argv.slice(2) as [string, string];
const stores = await openStores({ databaseUrl });
const trail = createTrail({
  store: stores.audit,
  signer,
  clock: systemClock,
  announce: () => undefined,
  onFailure: (error) => process.stderr.write(`${error}\n`),
});

async function writeWithoutEnd(lane: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const subject = `${name}/${lane}/${n}`;
    await trail.record(event({ atMs: systemClock.now(), subject }));
    process.stdout.write(`${subject}\n`);
  }
}

await Promise.all([1, 2, 3, 4].map(writeWithoutEnd));
