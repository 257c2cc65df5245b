import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { sha256Base64url } from "../../src/crypto/digest.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const MINUTE = 60_000;

describe("refresh tokens", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
    await service.createUser("alice");
  });
  after(() => service.stop());

  const refresh = (token: unknown) => ask(service, "POST", "/auth/refresh", {}, { refresh_token: token });
  const hello = (token: string) => ask(service, "GET", "/protected", bearer(token));

  /** Moves the first use of a token back beyond any grace, as if that time had passed. */
  function age(token: string, byMs: number): void {
    const database = new DatabaseSync(join(service.dataDir, "kyros.db"));
    try {
      const { changes } = database
        .prepare("UPDATE refresh_tokens SET used_at_ms = used_at_ms - ? WHERE hash = ?")
        .run(byMs, sha256Base64url(token));
      assert.equal(changes, 1);
    } finally {
      database.close();
    }
  }

  it("are traded for a new pair, which works and is not to be stored", async () => {
    const first = await service.login("alice");
    const { status, headers, body } = await refresh(first.refresh_token);
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(Object.keys(body).sort(), ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert.notEqual(body.refresh_token, first.refresh_token);
    assert.notEqual(body.access_token, first.access_token);
    assert.equal((await hello(body.access_token)).status, 200);
    assert.equal((await refresh(body.refresh_token)).status, 200);
  });

  it("64 at once get one successor and sign nobody out", async () => {
    const first = await service.login("alice");
    const answers = await Promise.all(Array.from({ length: 64 }, () => refresh(first.refresh_token)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const successors = new Set(answers.map(({ body }) => body.refresh_token));
    assert.equal(successors.size, 1);
    for (const { body } of answers) assert.equal((await hello(body.access_token)).status, 200);
    assert.equal((await hello(first.access_token)).status, 200);
    assert.equal((await refresh([...successors][0])).status, 200);
  });

  it("used again after the grace end the whole session, and that is told", async () => {
    const first = await service.login("alice");
    const other = await service.login("alice");
    const { body: second } = await refresh(first.refresh_token);
    age(first.refresh_token, MINUTE);
    const told = service.events.length;

    const reused = await refresh(first.refresh_token);
    assert.equal(reused.status, 401);
    assert.equal(reused.body.code, "token_revoked");
    assert.equal("access_token" in reused.body, false);
    const events = service.events.slice(told);
    const reuse = events.find(({ name }) => name === "auth.token.reused");
    assert.equal(reuse?.outcome, "failure");
    assert.equal(
      events.some(({ name, subject }) => name === "auth.session.ended" && subject === reuse?.subject),
      true,
    );

    assert.equal((await refresh(second.refresh_token)).status, 401, "the successor is dead too");
    for (const token of [first.access_token, second.access_token]) {
      const refused = await hello(token);
      assert.equal(refused.status, 401);
      assert.equal(refused.body.code, "token_revoked");
    }
    assert.equal((await hello(other.access_token)).status, 200, "another session goes on");
    assert.equal((await refresh(other.refresh_token)).status, 200);
  });

  it("whose successor is not the one first given are reuse even within the grace", async () => {
    const first = await service.login("alice");
    const nowMs = Date.now();
    const outcome = await service.stores.refreshTokens.rotate({
      hash: sha256Base64url(first.refresh_token),
      successorHash: sha256Base64url("of another key"),
      nowMs,
      graceMs: MINUTE,
      successorExpiresAtMs: nowMs + MINUTE,
    });
    assert.equal(outcome.kind, "rotated");
    assert.equal((await refresh(first.refresh_token)).status, 401);
    assert.equal((await hello(first.access_token)).status, 401);
  });

  it("are taken in the one spelling that was handed out, and a wrong one ends nothing", async () => {
    const { access_token, refresh_token: token } = await service.login("alice");
    const swapped = token.replace(/[a-z]/i, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    const wrong = {
      truncated: token.slice(0, -1),
      "one character": token.slice(0, 1),
      extended: `${token}A`,
      doubled: token + token,
      padded: `${token}=`,
      "in upper case": token.toUpperCase(),
      "in lower case": token.toLowerCase(),
      "one letter's case changed": swapped,
      "with a space before": ` ${token}`,
      "with a line break after": `${token}\n`,
      "with a NUL after": `${token}\0`,
      "an access token": access_token,
    };
    for (const [how, text] of Object.entries(wrong)) {
      const { status, headers, body } = await refresh(text);
      assert.equal(status, 401, how);
      assert.equal(body.code, "token_invalid", how);
      assert.notEqual(headers.get("www-authenticate"), null, how);
    }
    for (const text of ["", "x".repeat(1025), 1, null, [token], { token }]) {
      const { status, body } = await refresh(text);
      assert.equal(status, 400, JSON.stringify(text));
      assert.equal(body.code, "validation_failed");
    }
    assert.equal((await refresh(token)).status, 200);
  });

  it("that have expired are refused, and no one's name is told", async () => {
    const { access_token } = await service.login("alice");
    const { body: sessions } = await ask(service, "GET", "/auth/sessions", bearer(access_token));
    const { id: sessionId } = sessions.items.find((one: { current: boolean }) => one.current);
    const session = await service.stores.sessions.findById(sessionId);
    const token = "A".repeat(43);
    await service.stores.refreshTokens.issue({
      hash: sha256Base64url(token),
      sessionId,
      userId: session!.userId,
      issuedAtMs: Date.now() - MINUTE,
      expiresAtMs: Date.now() - 1,
      usedAtMs: null,
      successorHash: null,
    });
    const { status, body } = await refresh(token);
    assert.equal(status, 401);
    assert.equal(body.code, "token_expired");
    assert.equal(JSON.stringify(body).includes("alice"), false);
  });

  it("of a disabled user are refused", async () => {
    const id = await service.createUser("dora");
    const { refresh_token } = await service.login("dora");
    await service.stores.accounts.update(id, { disabled: true });
    assert.equal((await refresh(refresh_token)).status, 401);
  });
});
