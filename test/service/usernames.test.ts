import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

/** One name, as NFKC, case and trimming make it (CVE-2026-40574, GHSA-7rqj-j65f-68wh). */
const SPELLINGS = [
  "ann@home",
  "ANN@HOME",
  " ann@home ",
  "ann\uff20home",
  "\uff21\uff4e\uff4e@home",
  "\u{1d41a}nn@home",
  "ann@home\t",
];
/** Names that only look like it. */
const OTHERS = [
  "ann@h\u043eme",
  "ann@home\u200b",
  "ann@ho\u00admme",
  "\u0430nn@home",
  "ann@home\0",
  "ann@hom",
];

describe("R24: a user name", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_REGISTRATION: "on" });
    await service.createUser("ann@home");
  });
  after(() => service.stop());

  const post = (path: string, body: unknown) => ask(service, "POST", path, {}, body);
  const subjects = () =>
    service.events.filter(({ name }) => name === "auth.login.failed").map(({ subject }) => subject);

  it("is one to sign in by, whatever its spelling", async () => {
    for (const username of SPELLINGS) {
      for (const path of ["/auth/login", "/auth/session"])
        assert.equal(
          (await post(path, { username, password: PASSWORD })).status,
          200,
          JSON.stringify(username),
        );
    }
    for (const username of OTHERS) {
      const { status } = await post("/auth/login", { username, password: PASSWORD });
      assert.equal(status, 401, JSON.stringify(username));
    }
  });

  it("is one to the audit", async () => {
    const before_ = subjects().length;
    for (const username of SPELLINGS) await post("/auth/login", { username, password: "wrong" });
    assert.deepEqual(
      subjects().slice(before_),
      SPELLINGS.map(() => "ann@home"),
    );
  });

  it("is taken in every spelling, and never twice at once", async () => {
    for (const username of SPELLINGS) {
      const wanted = { username, email: "other@example.org", password: PASSWORD };
      assert.equal((await post("/auth/register", wanted)).status, 409, JSON.stringify(username));
    }
    const rivals = ["bea", "BEA", "\uff42ea", " bea"].map((username) =>
      post("/auth/register", { username, email: "bea@example.org", password: PASSWORD }),
    );
    const statuses = (await Promise.all(rivals)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, 409, 409, 409]);
  });
});
