import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { guarded } from "../../src/adapters/node.ts";
import type { AuditEvent, Kyros, KyrosOptions } from "../../src/index.ts";
import {
  authenticateUser,
  createAccessToken,
  createAuditTrail,
  createKyros,
  currentUser,
} from "../../src/index.ts";
import type { OpenedStores, OpenStoresOptions } from "../../src/service/open-stores.ts";
import { openStores } from "../../src/service/open-stores.ts";
import { serve } from "../adapters/guarded-app.ts";
import { freshSecret } from "../config/environments.ts";
import { eventually } from "../stores/eventually.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import { startRedis, WITHOUT_REDIS } from "../stores/redis-server.ts";

const SECRET = freshSecret();
const PASSWORD = "correct horse battery staple";
const ACT = { atMs: 1_700_000_000_000, actor: { kind: "system" } } as const;

interface Host extends OpenedStores {
  readonly kyros: Kyros;
}

/** A host app, closed when the test has ended. */
async function host(
  t: TestContext,
  stores: Omit<OpenStoresOptions, "secret">,
  options: Partial<KyrosOptions> = {},
): Promise<Host> {
  const opened = await openStores({ secret: SECRET, ...stores });
  t.after(opened.close);
  const kyros = createKyros({
    secret: SECRET,
    ...opened,
    bcryptCost: 10,
    insecureHttp: true,
    ...options,
  });
  return { ...opened, kyros };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "kyros-host-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const createAlice = ({ kyros }: Host) =>
  kyros.accounts.create({ username: "alice", email: null, role: "user", password: PASSWORD }, ACT);

const statusOf = async (url: string, token: string): Promise<number> =>
  (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;

describe("stores of a host app", () => {
  it("keep its users, sessions and trail in a file, over a restart", async (t) => {
    const databaseUrl = `sqlite:${join(await folder(t), "app.db")}`;
    const before = await openStores({ secret: SECRET, databaseUrl });
    const trail = createAuditTrail({ secret: SECRET, store: before.stores.audit });
    const kyros = createKyros({ secret: SECRET, ...before, bcryptCost: 10, events: trail.events });
    const alice = await kyros.accounts.create(
      { username: "alice", email: null, role: "user", password: PASSWORD },
      ACT,
    );
    const [kept, ended] = [await createAccessToken(kyros, alice), await createAccessToken(kyros, alice)];
    const { sid } = JSON.parse(Buffer.from(ended.split(".")[1]!, "base64url").toString());
    await kyros.sessions.end(sid, alice.id, ACT);
    await trail.close();
    await before.close();

    const again = await host(t, { databaseUrl });
    await again.health();
    const user = await authenticateUser(again.kyros, "alice", PASSWORD);
    assert.ok(user !== null && "username" in user);
    assert.equal((await currentUser(again.kyros, kept)).username, "alice");
    await assert.rejects(currentUser(again.kyros, ended), { name: "Refusal" });
    const entries = await again.stores.audit.entriesAfter(0, 10);
    assert.equal(entries[0]?.type, "user.created");
  });

  it("say in one line what is wrong with an option, and no secret", async () => {
    const wrong: readonly [Omit<OpenStoresOptions, "secret">, RegExp][] = [
      [{ databaseUrl: "mysql://root:hunter2@db/kyros" }, /^databaseUrl: has another scheme; allowed: /],
      [{ databaseUrl: "sqlite:" }, /^databaseUrl: names no file/],
      [
        { databaseUrl: "sqlite::memory:", redisUrl: "http://:hunter2@cache" },
        /^redisUrl: in entry 1 has another/,
      ],
      [
        { databaseUrl: "sqlite::memory:", redisUrl: "redis://cache", redisDeadlineMs: 0.5 },
        /^redisDeadlineMs: /,
      ],
      [{ databaseUrl: "sqlite::memory:", auditRetention: "for ever" }, /^auditRetention: /],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(openStores({ secret: SECRET, ...options }), (error: Error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2|\n/);
        return true;
      });
    }
    await assert.rejects(openStores({ secret: "short", databaseUrl: "sqlite::memory:" }), {
      message: /secret/,
    });
    await assert.rejects(openStores({ secret: SECRET, databaseUrl: "sqlite:/dev/null/app.db" }), {
      name: "DatabaseFault",
    });
  });

  it("leave nothing open where the database cannot be opened", { skip: WITHOUT_REDIS }, async (t) => {
    const redis = await startRedis();
    t.after(redis.stop);
    const clients = async () =>
      String(await redis.command("client", "list")).match(/name=kyros/g)?.length ?? 0;
    await assert.rejects(
      openStores({ secret: SECRET, databaseUrl: "sqlite:/dev/null/app.db", redisUrl: redis.url }),
      { name: "DatabaseFault" },
    );
    await eventually(async () => assert.equal(await clients(), 0), 5000);
  });
});

describe("host apps that share a database and a Redis", { skip: WITHOUT_REDIS }, () => {
  it("are one: in users, revocations and limits", async (t) => {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    t.after(() => Promise.all([postgres.stop(), redis.stop()]));
    const shared = { databaseUrl: postgres.url, redisUrl: redis.url, redisDeadlineMs: 1000 };
    const limits = { default: "20/1h" };
    const [one, other] = await Promise.all([host(t, shared, { limits }), host(t, shared, { limits })]);
    const alice = await createAlice(one);
    const token = await createAccessToken(one.kyros, alice);
    assert.equal((await currentUser(other.kyros, token)).username, "alice");

    const listen = (kyros: Kyros, work: (url: string) => Promise<void>) =>
      serve(
        guarded(kyros, kyros.requireUser(), (_request, response) => void response.end("ok")),
        work,
      );
    await listen(one.kyros, (first) =>
      listen(other.kyros, async (second) => {
        const statuses = await Promise.all(
          Array.from({ length: 60 }, (_, at) => statusOf(at % 2 ? first : second, token)),
        );
        assert.equal(statuses.filter((status) => status === 200).length, 20);
        assert.equal(statuses.filter((status) => status === 429).length, 40);
      }),
    );
    await one.kyros.accounts.change(alice.id, { disabled: true }, ACT);
    await eventually(async () => assert.rejects(currentUser(other.kyros, token), { name: "Refusal" }), 1000);
  });

  it("go on without Redis, told so, or refuse where the policy says so", async (t) => {
    const redis = await startRedis();
    t.after(redis.stop);
    const events: AuditEvent[] = [];
    const databaseUrl = `sqlite:${join(await folder(t), "app.db")}`;
    const { kyros, limiter, ...opened } = await host(t, {
      databaseUrl,
      redisUrl: redis.url,
      events: { record: (event) => void events.push(event) },
    });
    const strict = createKyros({
      secret: SECRET,
      stores: opened.stores,
      limiter: limiter!,
      insecureHttp: true,
      limits: { default: { name: "costly", limit: 100, windowMs: 60_000, onOutage: "deny" } },
      onFailure: () => {},
    });
    const ask = async (of: Kyros): Promise<Response> => {
      let response: Response | undefined;
      await serve(
        guarded(of, of.allowAnonymous(), (_request, answer) => void answer.end("ok")),
        async (url) => {
          response = await fetch(url);
        },
      );
      return response!;
    };
    assert.equal((await ask(strict)).headers.get("ratelimit-policy"), '"costly";q=100;w=60');
    redis.pause();
    await eventually(
      () =>
        assert.deepEqual(
          events.map(({ name }) => name),
          ["store.degraded"],
        ),
      10_000,
    );
    assert.equal((await ask(kyros)).status, 200);
    const refused = await ask(strict);
    assert.equal(refused.status, 503);
    assert.equal(((await refused.json()) as { code: string }).code, "unavailable");
    redis.resume();
    await eventually(() => assert.equal(events.at(-1)?.name, "store.recovered"), 10_000);
    assert.equal((await ask(strict)).status, 200);
  });
});

it("a limit as an object is refused at once where it could not be counted or told", () => {
  const policy = { name: "default", limit: 10, windowMs: 1000 };
  for (const wrong of [{ limit: 0 }, { windowMs: 0.5 }, { name: "naïve" }]) {
    assert.throws(() => createKyros({ secret: SECRET, limits: { default: { ...policy, ...wrong } } }), {
      name: "TypeError",
      message: /^limits\.default: /,
    });
  }
});
