import assert from "node:assert/strict";
import { setPriority } from "node:os";
import { it } from "node:test";
import { WITHOUT_REDIS } from "../stores/redis-server.ts";
import { sendMany } from "./pipelined-requests.ts";
import { login, startThreeInstances } from "./three-instances.ts";

const LIMIT = 2000;
const REQUESTS = 100_000;
/** What an instance yields to Redis and PostgreSQL, which have machines of their own where this matters. */
const LOW_PRIORITY = 10;

it("three instances admit exactly the limit of 100,000 concurrent requests", {
  skip: WITHOUT_REDIS,
  timeout: 240_000,
}, async (t) => {
  const three = await startThreeInstances({
    // A window so long that nothing comes back while the test runs.
    KYROS_RATE_LIMIT: `${LIMIT}/30d`,
    // On a busy machine Redis may take longer than it is given elsewhere, and then each instance decides on its own.
    KYROS_REDIS_DEADLINE_MS: "1000",
  });
  t.after(() => three.stop());
  for (const { pid } of three.instances) setPriority(pid, LOW_PRIORITY);
  await three.createUser("alice");
  const { access_token } = await login(three.instances[0], "alice");
  const share = Math.floor(REQUESTS / 3);
  const answers = await Promise.all(
    three.instances.map(({ url }, i) => sendMany(url, access_token, i === 0 ? REQUESTS - 2 * share : share)),
  );
  const counts: Record<number, number> = {};
  for (const [status, count] of answers.flatMap((one) => [...one])) {
    counts[status] = (counts[status] ?? 0) + count;
  }
  assert.deepEqual(counts, { 200: LIMIT, 429: REQUESTS - LIMIT });
  assert.ok(
    answers.every((one) => one.has(200)),
    "every instance took part",
  );
});
