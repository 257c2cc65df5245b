import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { totpCode, totpStepAt } from "../../src/crypto/totp.ts";
import type { FactorProof } from "../../src/identity/factors/second-step.ts";
import type { SecondFactorNeeded, User } from "../../src/index.ts";
import {
  authenticateUser,
  createAccessToken,
  createKyros,
  Outage,
  Refusal,
  verifyFactor,
} from "../../src/index.ts";
import type { UserPrincipal } from "../../src/kernel/principal.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { manualClock } from "../../src/testing/index.ts";
import { decodeBase32 } from "./enrol.ts";

const START = 1_800_000_000_000;
const STEP_MS = 30_000;
const PASSWORD = "correct horse battery staple";
const SECRET = generateSecret(systemRandom);

async function open() {
  const clock = manualClock(START);
  const stores = createMemoryStores();
  const openKyros = (secret = SECRET, previousSecrets: readonly string[] = []) =>
    createKyros({ secret, previousSecrets, clock, stores, bcryptCost: 10, insecureHttp: true });
  const kyros = openKyros();
  const act = () => ({ atMs: clock.now(), actor: { kind: "operator" } as const });
  const account = await kyros.accounts.create(
    { username: "alice", email: null, role: "user", password: PASSWORD },
    act(),
  );
  const session = await kyros.sessions.startToken(account, act());
  const person: UserPrincipal = {
    kind: "user",
    user: account,
    credential: "access_token",
    sessionId: session.id,
    authenticatedAtMs: clock.now(),
    mfa: false,
  };
  const secret = decodeBase32((await kyros.factors.offerTotp(person, act())).text);
  const code = (steps = 0) => totpCode(secret, totpStepAt(clock.now()) + steps);
  const { recoveryCodes } = await kyros.factors.confirmTotp(person, code(-1), act());
  const needed = async (by = kyros): Promise<SecondFactorNeeded> => {
    const result = await authenticateUser(by, "alice", PASSWORD);
    assert.ok(result !== null && "mfaToken" in result);
    return result;
  };
  const byCode = async (shown: string, by = kyros) =>
    verifyFactor(by, (await needed(by)).mfaToken, { method: "totp", code: shown });
  return { clock, stores, kyros, openKyros, act, account, session, recoveryCodes, code, needed, byCode };
}

describe("the library", () => {
  it("says in its type that a second factor is still needed", async () => {
    const { kyros, needed, code } = await open();
    const { mfaToken, methods } = await needed();
    assert.deepEqual(methods, ["totp", "recovery_code"]);
    const user: User | null = await verifyFactor(kyros, mfaToken, { method: "totp", code: code() });
    assert.equal(user?.username, "alice");
    assert.equal(await authenticateUser(kyros, "alice", "wrong"), null);
    const unproved = (await needed()) as unknown as User;
    await assert.rejects(createAccessToken(kyros, unproved), "what needs a factor is no user");
  });

  it("takes what is no proof for none, where no compiler has looked at what a client sent", async () => {
    const { kyros, needed, code } = await open();
    const { mfaToken } = await needed();
    const proofs: unknown[] = [
      { method: "sms", code: code() },
      { code: code() },
      { method: "totp" },
      { method: "recovery_code", code: 1 },
    ];
    for (const proof of proofs) {
      assert.equal(await verifyFactor(kyros, mfaToken, proof as FactorProof), null, JSON.stringify(proof));
    }
    const user = await verifyFactor(kyros, mfaToken, { method: "totp", code: code() });
    assert.equal(user?.username, "alice");
  });

  it("R30: takes a code of its step and one either way, at each instant of it, and never twice", async () => {
    for (const offset of [-2, -1, 0, 1, 2]) {
      for (const withinMs of [0, 1, STEP_MS - 1]) {
        const { clock, byCode, code } = await open();
        clock.advance(10 * STEP_MS + withinMs);
        const shown = code(offset);
        const counts = Math.abs(offset) <= 1;
        assert.equal((await byCode(shown)) !== null, counts, `${offset} steps, ${withinMs} ms in`);
        assert.equal(await byCode(shown), null, `${offset} steps, again`);
      }
    }
  });

  it("R30: forgets an earlier step once a later one was taken, also after the clock was set back", async () => {
    const { clock, byCode, code } = await open();
    clock.advance(10 * STEP_MS);
    const [before, next] = [code(0), code(1)];
    assert.notEqual(await byCode(next), null);
    assert.equal(await byCode(before), null);
    clock.advance(-5 * STEP_MS);
    assert.equal(await byCode(code()), null);
    clock.advance(20 * STEP_MS);
    assert.notEqual(await byCode(code()), null);
  });

  it("refuses a second step five minutes after the first", async () => {
    const { clock, kyros, needed, code } = await open();
    const [late, last] = [await needed(), await needed()];
    clock.advance(299_999);
    assert.notEqual(await verifyFactor(kyros, last.mfaToken, { method: "totp", code: code() }), null);
    clock.advance(1);
    assert.equal(await verifyFactor(kyros, late.mfaToken, { method: "totp", code: code(1) }), null);
  });

  it("opens secrets under a rotated key, seals them anew, and is shut, not open, without the key", async () => {
    const { clock, stores, openKyros, account, byCode, code } = await open();
    const next = generateSecret(systemRandom);
    const rotated = openKyros(next, [SECRET]);
    clock.advance(10 * STEP_MS);
    assert.notEqual(await byCode(code(), rotated), null);
    await assert.rejects(byCode(code(1), openKyros(next)), Outage);
    const before = (await stores.factors.findTotp(account.id))!.sealedSecret;
    assert.deepEqual(await rotated.totpSecrets.resealAll(stores.factors), { resealed: 1, unopened: 0 });
    assert.deepEqual(await rotated.totpSecrets.resealAll(stores.factors), { resealed: 0, unopened: 0 });
    assert.notEqual((await stores.factors.findTotp(account.id))!.sealedSecret, before);
    clock.advance(10 * STEP_MS);
    assert.notEqual(await byCode(code(), openKyros(next)), null);
    await assert.rejects(byCode(code(1), openKyros(SECRET)), Outage);
    assert.deepEqual(
      await openKyros(SECRET).totpSecrets.resealAll(stores.factors),
      { resealed: 0, unopened: 1 },
      "left for its key",
    );
  });

  it("guards a route for who has shown a second factor, or has signed in just now", async () => {
    const { kyros } = await open();
    assert.equal(kyros.requireMfa().config.kyros.mfa, true);
    assert.equal(kyros.requireMfa().config.kyros.callers, "people");
    assert.equal(kyros.requireFresh("10m").config.kyros.freshWithinMs, 600_000);
    for (const text of ["", "10", "10 m", "0m", "ten minutes"]) {
      assert.throws(() => kyros.requireFresh(text), TypeError);
    }
  });

  it("knows by the session, and so no longer than it lasts, whether a second factor was shown", async () => {
    const { kyros, account, act, session, clock } = await open();
    const principalOf = async (token: string) => {
      const verified = kyros.tokens.verify(token, clock.now());
      assert.ok(verified.kind === "valid" && verified.claims.kind === "user");
      const outcome = await kyros.live.ofClaims(verified.claims, clock.now());
      return outcome.kind === "authenticated" && outcome.principal.kind === "user"
        ? outcome.principal
        : undefined;
    };
    const plain = await createAccessToken(kyros, account);
    const strong = await createAccessToken(kyros, account, { mfa: true });
    assert.equal((await principalOf(plain))?.mfa, false);
    assert.equal((await principalOf(strong))?.mfa, true);
    const { sessionId } = (await principalOf(strong))!;
    await kyros.sessions.end(sessionId, account.id, act());
    assert.equal(await principalOf(strong), undefined);
    const enrolledIn = await kyros.live.ofSessionId(session.id, clock.now());
    assert.ok(enrolledIn.kind === "authenticated" && enrolledIn.principal.kind === "user");
    assert.equal(enrolledIn.principal.mfa, true, "who enrols has shown the factor");
  });

  it("lets an operator remove every factor of who has lost them, and ends what they had open", async () => {
    const { kyros, account, act, session, clock } = await open();
    assert.deepEqual(await kyros.factors.reset(account.id, act()), {
      totp: true,
      passkeys: 0,
      recoveryCodesLeft: 10,
    });
    assert.equal((await kyros.live.ofSessionId(session.id, clock.now())).kind, "rejected");
    const user = await authenticateUser(kyros, "alice", PASSWORD);
    assert.ok(user !== null && "username" in user);
    await assert.rejects(
      kyros.factors.confirmTotp(
        {
          kind: "user",
          user,
          credential: "access_token",
          sessionId: "s",
          authenticatedAtMs: START,
          mfa: false,
        },
        "123456",
        act(),
      ),
      Refusal,
    );
  });
});
