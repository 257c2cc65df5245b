import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import type { SecondFactorNeeded } from "../../src/index.ts";
import { authenticateUser, createKyros, createUser, verifyFactor } from "../../src/index.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { sampleConfirmation, samplePasskey, sampleTotp } from "../../src/testing/factor-samples.ts";
import { manualClock } from "../../src/testing/index.ts";

const PASSWORD = "correct horse battery staple";

/** A library with passkeys and one without, over the same stores, and a user of theirs. */
async function open() {
  const clock = manualClock(1_800_000_000_000);
  const stores = createMemoryStores();
  const secret = generateSecret(systemRandom);
  const base = { secret, clock, stores, bcryptCost: 10, insecureHttp: true };
  const off = createKyros(base);
  const on = createKyros({ ...base, passkeyOrigins: ["https://app.example.com"] });
  const { id: userId } = await createUser(on, { username: "alice", password: PASSWORD });
  const needed = async (kyros: typeof off): Promise<SecondFactorNeeded> => {
    const result = await authenticateUser(kyros, "alice", PASSWORD);
    assert.ok(result !== null && "mfaToken" in result, "the password alone lets nobody in");
    return result;
  };
  return { stores, off, on, userId, needed };
}

describe("passkeys that were switched off", () => {
  it("are no method of who has one, and still let nobody in by the password alone", async () => {
    const { stores, off, on, userId, needed } = await open();
    await stores.factors.addPasskey(samplePasskey(1, { userId }), []);
    assert.deepEqual((await needed(on)).methods, ["passkey"]);
    const { mfaToken, methods } = await needed(off);
    assert.deepEqual(methods, []);
    const response = { id: "credential1" } as never;
    assert.equal(await verifyFactor(off, mfaToken, { method: "passkey", response }), null);
    const act = { atMs: off.clock.now(), actor: { kind: "anonymous" } } as const;
    const outcome = await off.signIn.byPassword({ username: "alice", password: PASSWORD }, act);
    assert.ok(outcome.kind === "factor_required");
    assert.deepEqual(outcome.methods, []);
  });

  it("leave the other methods as they are", async () => {
    const { stores, off, on, userId, needed } = await open();
    await stores.factors.offerTotp(sampleTotp(1, { userId }));
    await stores.factors.confirmTotp(sampleConfirmation(1, { userId }));
    await stores.factors.addPasskey(samplePasskey(1, { userId }), []);
    assert.deepEqual((await needed(on)).methods, ["totp", "passkey", "recovery_code"]);
    assert.deepEqual((await needed(off)).methods, ["totp", "recovery_code"]);
  });
});
