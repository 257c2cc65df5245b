import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { addUsers, PASSWORD } from "../service/add-user.ts";
import { eventually } from "../stores/eventually.ts";
import type { Instance } from "./instance.ts";
import { startInstance } from "./instance.ts";

const PRELOAD = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const skip = existsSync(PRELOAD) ? false : "libfaketime is not installed (apt-get install faketime)";

/** The wall clock of a machine is set while the service runs; its monotonic clock goes on. */
describe("a step of the wall clock", { skip }, () => {
  let dataDir: string;
  let service: Instance;
  const clockFile = () => join(dataDir, "clock");

  /** Sets the service's clock so many minutes off, and waits until its answers are dated so. */
  async function step(offsetMinutes: number): Promise<void> {
    await writeFile(clockFile(), `${offsetMinutes < 0 ? "" : "+"}${offsetMinutes}m`);
    await eventually(async () => {
      const { headers } = await fetch(`${service.url}/healthz`);
      const wrongByMs = Date.parse(headers.get("date")!) - Date.now() - offsetMinutes * 60_000;
      assert.ok(Math.abs(wrongByMs) < 30_000, `the clock is ${wrongByMs} ms off`);
    });
  }

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "kyros-clock-"));
    await writeFile(clockFile(), "+0");
    const env = { KYROS_DATA_DIR: dataDir, KYROS_BCRYPT_COST: "10" };
    const users = ["alice", "bob", "carol"].map((name) => ({ name }));
    await addUsers(`sqlite:${join(dataDir, "kyros.db")}`, ...users);
    service = await startInstance({
      ...env,
      KYROS_RATE_LIMIT: "60/1h",
      LD_PRELOAD: PRELOAD,
      FAKETIME_TIMESTAMP_FILE: clockFile(),
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    });
  });
  after(async () => {
    await service?.kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  const post = (path: string, body: unknown) =>
    fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const login = async (username = "alice") => {
    const answer = await post("/auth/login", { username, password: PASSWORD });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()) as { access_token: string; refresh_token: string };
  };
  const hello = (token: string) =>
    fetch(`${service.url}/protected`, { headers: { authorization: `Bearer ${token}` } });
  const code = async (answer: Response) => ((await answer.json()) as { code: string }).code;

  it("one hour back: a token from the future waits, new ones work", async () => {
    const before = await login();
    assert.equal((await hello(before.access_token)).status, 200);
    await step(-60);
    assert.equal((await hello(before.access_token)).status, 401);
    assert.equal((await hello((await login()).access_token)).status, 200);
    await step(0);
    assert.equal((await hello(before.access_token)).status, 200);
  });

  it("one hour ahead: tokens of two hours go on until their time", async () => {
    const before = await login();
    await step(60);
    assert.equal((await hello(before.access_token)).status, 200);
    await step(121);
    assert.equal(await code(await hello(before.access_token)), "token_expired");
    await step(0);
  });

  it("either way, a limit neither forgets who is over it nor locks out who is not", async () => {
    const [over, under] = [await login(), await login("bob")];
    const used = async (token: string) => Number((await hello(token)).headers.get("x-ratelimit-remaining"));
    let last = await hello(over.access_token);
    while (last.status === 200) last = await hello(over.access_token);
    assert.equal(last.status, 429);
    const remaining = await used(under.access_token);
    for (const offset of [-20, 50]) {
      await step(offset);
      const [first, second] = [await login(), await login("bob")];
      assert.equal((await hello(first.access_token)).status, 429, `${offset} minutes: a limit was forgotten`);
      assert.ok(
        Math.abs((await used(second.access_token)) - remaining) <= 5,
        `${offset} minutes: locked out`,
      );
    }
    await step(0);
  });

  it("ninety days ahead: everything has expired, and who signs in anew goes on", async () => {
    const before = await login("carol");
    await step(90 * 24 * 60);
    const late = await hello(before.access_token);
    assert.equal(late.status, 401);
    assert.equal(await code(late), "token_expired");
    assert.equal((await post("/auth/refresh", { refresh_token: before.refresh_token })).status, 401);
    const anew = await login("carol");
    assert.equal((await hello(anew.access_token)).status, 200);
    assert.equal((await fetch(`${service.url}/readyz`)).status, 200);
  });
});
