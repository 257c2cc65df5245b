import assert from "node:assert/strict";
import { setPriority } from "node:os";
import { it } from "node:test";
import { rounds } from "../rounds.ts";
import { WITHOUT_REDIS } from "../stores/redis-server.ts";
import { sendMany } from "./pipelined-requests.ts";
import { login, startThreeInstances } from "./three-instances.ts";

const LIMIT = 2000;
const REQUESTS = rounds(100_000);
/** What an instance yields to Redis and PostgreSQL, which have machines of their own where this matters. */
const LOW_PRIORITY = 5;

/**
 * Of what Redis decides, which is all of it on a machine that is not overburdened. What Redis or PostgreSQL do not
 * answer in time is decided by the instance for its own share of the limit, or refused; that is told apart by the
 * `X-RateLimit-Limit` of the answer.
 */
it(`three instances admit exactly the limit of ${REQUESTS} concurrent requests`, {
  skip: WITHOUT_REDIS,
  timeout: 600_000,
}, async (t) => {
  const three = await startThreeInstances({
    // A window so long that nothing comes back while the test runs.
    KYROS_RATE_LIMIT: `${LIMIT}/30d`,
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
  const counts = new Map<string, number>();
  for (const [kind, count] of answers.flatMap((one) => [...one])) {
    counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  const admitted = counts.get(`200 of ${LIMIT}`) ?? 0;
  const elsewhere = REQUESTS - admitted - (counts.get(`429 of ${LIMIT}`) ?? 0);
  const all = JSON.stringify(Object.fromEntries(counts));
  t.diagnostic(all);
  assert.ok(admitted <= LIMIT, all);
  // A grant that came too late went to nobody.
  assert.ok(admitted >= LIMIT - elsewhere, all);
  assert.ok(elsewhere < REQUESTS / 2, all);
  for (const one of answers) {
    assert.ok(one.has(`200 of ${LIMIT}`), "every instance took part");
    assert.ok((one.get(`200 of ${Math.ceil(LIMIT / 3)}`) ?? 0) <= Math.ceil(LIMIT / 3), all);
  }
});
