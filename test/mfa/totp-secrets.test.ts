import assert from "node:assert/strict";
import { it } from "node:test";
import { generateSecret, openKeyring } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { totpSecretsOf } from "../../src/service/compose-identity.ts";
import { createMemoryFactorStore } from "../../src/stores/memory/factor-store.ts";
import { sampleTotp } from "../../src/testing/factor-samples.ts";

const secretsUnder = (current: string, previous: readonly string[] = []) =>
  totpSecretsOf({ keyring: openKeyring({ current, previous }), random: systemRandom, passkeyOrigins: [] });

it("seals anew all that opens, behind however many that do not, and says how many these are", async () => {
  const [former, next, lost] = [1, 2, 3].map(() => generateSecret(systemRandom)) as [string, string, string];
  const factors = createMemoryFactorStore();
  const sealedBy = async (secret: string, n: number) => {
    const factor = sampleTotp(n);
    const { sealedSecret } = secretsUnder(secret).create(factor, "alice");
    await factors.offerTotp({ ...factor, sealedSecret });
  };
  for (let n = 1; n <= 250; n += 1) await sealedBy(lost, n);
  for (let n = 251; n <= 260; n += 1) await sealedBy(former, n);

  const rotated = secretsUnder(next, [former]);
  assert.deepEqual(await rotated.resealAll(factors), { resealed: 10, unopened: 250 });
  assert.deepEqual(await rotated.resealAll(factors), { resealed: 0, unopened: 250 });
  // Once the lost secret is found again, nothing has been lost.
  assert.deepEqual(await secretsUnder(next, [lost]).resealAll(factors), { resealed: 250, unopened: 0 });
});
