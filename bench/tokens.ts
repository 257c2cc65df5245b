import { createHmac } from "node:crypto";
import { loadavg } from "node:os";
import { jwtVerify } from "jose";
import { openKeyring } from "../src/crypto/keyring.ts";
import type { AccessTokens } from "../src/identity/tokens/access-tokens.ts";
import { createAccessTokens } from "../src/identity/tokens/access-tokens.ts";
import type { Report, RunOptions } from "./report.ts";
import { formatReport } from "./report.ts";
import { median } from "./statistics.ts";

const NOW_MS = 1_750_000_000_000;
const TOKENS = 1000;
const SECRET = Buffer.from(Uint8Array.from({ length: 64 }, (_, i) => i * i * 7 + i * 89)).toString(
  "base64url",
);

/** What a user of node:crypto would write, and no more: one HMAC, one comparison, one JSON.parse, no claim judged. */
function createMinimum(key: Uint8Array): (token: string) => unknown {
  return (token) => {
    const headerEnd = token.indexOf(".");
    const payloadEnd = token.lastIndexOf(".");
    const code = createHmac("sha512", key).update(token.slice(0, payloadEnd)).digest("base64url");
    if (code !== token.slice(payloadEnd + 1)) throw new Error("wrong code");
    return JSON.parse(Buffer.from(token.slice(headerEnd + 1, payloadEnd), "base64url").toString());
  };
}

function createVerifier(tokens: AccessTokens): (token: string) => unknown {
  return (token) => {
    const outcome = tokens.verify(token, NOW_MS);
    if (outcome.kind !== "valid") throw new Error(outcome.kind);
    return outcome.claims;
  };
}

/** Nanoseconds a token, each read from bytes anew as a request brings it. */
async function measure(texts: readonly Buffer[], verify: (token: string) => unknown): Promise<number> {
  const beganMs = performance.now();
  for (const text of texts) {
    const result = verify(text.toString("latin1"));
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - beganMs) / texts.length) * 1e6;
}

/** Compares verifying our HS512 access tokens, with all their claims judged, with the least that it could be. */
export async function run({ rounds = 21 }: RunOptions = {}): Promise<Report> {
  const keyring = openKeyring({ current: SECRET });
  const key = keyring.derive("kyros/access-token/HS512", 64);
  const options = { keyring, issuer: "kyros", audience: "kyros", ttlMs: 7_200_000 };
  const uncached = createAccessTokens({ ...options, cacheSize: 0 });
  const texts = Array.from({ length: TOKENS }, (_, i) => {
    const id = `01890000-0000-7000-8000-${String(i).padStart(12, "0")}`;
    return Buffer.from(uncached.issue({ userId: id, sessionId: id, role: "user", nowMs: NOW_MS }).token);
  });
  const joseOptions = { issuer: "kyros", audience: "kyros", typ: "at+jwt", currentDate: new Date(NOW_MS) };
  const sides = [
    { name: "createHmac and JSON.parse", verify: createMinimum(key), ns: [] as number[] },
    { name: "verify, uncached", verify: createVerifier(uncached), ns: [] as number[] },
    { name: "verify, cached", verify: createVerifier(createAccessTokens(options)), ns: [] as number[] },
    { name: "jose", verify: (token: string) => jwtVerify(token, key, joseOptions), ns: [] as number[] },
  ];
  for (const side of sides) await measure(texts, side.verify);
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) side.ns.push(await measure(texts, side.verify));
  }
  const [minimumNs, uncachedNs, cachedNs, joseNs] = sides.map((side) => median(side.ns));
  const against = sides[0]!.name;
  return {
    name: "tokens",
    rows: [
      { what: sides[1]!.name, against, ratio: minimumNs! / uncachedNs!, goal: 0.95, unit: "tokens/s" },
      { what: sides[2]!.name, against, ratio: minimumNs! / cachedNs!, goal: 6, unit: "tokens/s" },
      { what: sides[1]!.name, against: "jose", ratio: joseNs! / uncachedNs!, goal: null, unit: "tokens/s" },
    ],
    measurements: {
      columns: ["side", "ns a token"],
      rows: sides.map((side) => [side.name, median(side.ns).toFixed(0)]),
      notes: [`Medians of ${rounds} interleaved rounds over ${TOKENS} HS512 tokens.`],
    },
  };
}

if (import.meta.main) {
  const loadBefore = loadavg()[0]!;
  console.log(formatReport(await run(), loadBefore));
}
