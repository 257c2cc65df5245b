import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import type { Exchange } from "../../src/kernel/exchange.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { createKyros } from "../../src/service/create-kyros.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { requestView } from "./http-request.ts";

const VALUES = 100_000;
const STARTS = [
  "",
  "Bearer ",
  "bearer kyros_",
  "Bearer eyJ",
  "Basic ",
  "Bearer ..",
  "__Host-kyros_session=",
  "a=b; __Host-kyros_session=",
  "Digest ",
  "Bearer  ",
];

test("R25: no Authorization, Cookie or X-API-Key of 100,000 throws, and none of them is somebody", async () => {
  const failures: unknown[] = [];
  const kyros = createKyros({
    secret: generateSecret(systemRandom),
    limits: { default: "off", login: "off" },
    onFailure: (error: unknown) => void failures.push(error),
  });
  const random = seededRandom(25);
  const { config } = kyros.requireUser();
  for (let n = 0; n < VALUES; n += 1) {
    const bytes = Buffer.from(random.bytes(1 + (n % 64)));
    const value = STARTS[n % STARTS.length] + bytes.toString(n % 3 === 0 ? "base64url" : "latin1");
    const name = ["authorization", "cookie", "x-api-key"][n % 7 < 3 ? n % 7 : 0]!;
    const view = requestView({ headers: { [name]: value, host: "kyros.example" }, peerEncrypted: true });
    const exchange: Exchange = kyros.pipeline.open(view, config.kyros);
    const outcome = await kyros.pipeline.run(exchange);
    assert.ok(
      outcome.kind === "respond" && outcome.answer.status === 401,
      `${name}: ${JSON.stringify(value)}`,
    );
  }
  assert.deepEqual(failures, []);
});
