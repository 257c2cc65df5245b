import { createHmac } from "node:crypto";
import { jwtVerify } from "jose";
import { openKeyring } from "../src/crypto/keyring.ts";
import type { AccessTokens } from "../src/identity/tokens/access-tokens.ts";
import { createAccessTokens } from "../src/identity/tokens/access-tokens.ts";

export interface Row {
  readonly what: string;
  readonly against: string;
  /** How many times faster `what` is than `against`. */
  readonly ratio: number;
  /** The least that `ratio` should be; `null` where it is only for reference. */
  readonly goal: number | null;
}

export interface Report {
  readonly name: string;
  readonly rows: readonly Row[];
}

const NOW_MS = 1_750_000_000_000;
const SECRET = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 89 + 7 * i * i) & 0xff)).toString(
  "base64url",
);
const TOKENS = 1000;
const ROUNDS = 15;

/** What a careful reader of node:crypto would write, and no more: the code and the parsed payload. */
function createBaseline(key: Uint8Array): (token: string) => unknown {
  return (token) => {
    const headerEnd = token.indexOf(".");
    const payloadEnd = token.lastIndexOf(".");
    const code = createHmac("sha512", key).update(token.slice(0, payloadEnd)).digest("base64url");
    if (code !== token.slice(payloadEnd + 1)) throw new Error("wrong code");
    return JSON.parse(Buffer.from(token.slice(headerEnd + 1, payloadEnd), "base64url").toString());
  };
}

/** Verifies each token once, each time from bytes, as a request brings it. */
function pass(texts: readonly Buffer[], verify: (token: string) => unknown): number {
  const startMs = performance.now();
  for (const text of texts) verify(text.toString("latin1"));
  return (performance.now() - startMs) / texts.length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function checked(tokens: AccessTokens): (token: string) => unknown {
  return (token) => {
    const outcome = tokens.verify(token, NOW_MS);
    if (outcome.kind !== "valid") throw new Error(outcome.kind);
    return outcome;
  };
}

/** Compares our verification of HS512 access tokens with the bare minimum, and with jose. */
export async function run(): Promise<Report> {
  const keyring = openKeyring({ current: SECRET });
  const key = keyring.derive("kyros/access-token/HS512", 64);
  const options = { keyring, issuer: "kyros", audience: "kyros", ttlMs: 7_200_000 };
  const uncached = createAccessTokens({ ...options, cacheSize: 0 });
  const cached = createAccessTokens(options);
  const texts = Array.from({ length: TOKENS }, (_, i) => {
    const userId = `01890000-0000-7000-8000-${String(i).padStart(12, "0")}`;
    return Buffer.from(uncached.issue({ userId, sessionId: userId, role: "user", nowMs: NOW_MS }).token);
  });

  const subjects = [
    { name: "baseline", verify: createBaseline(key), ms: [] as number[] },
    { name: "uncached", verify: checked(uncached), ms: [] as number[] },
    { name: "cached", verify: checked(cached), ms: [] as number[] },
  ];
  const joseMs: number[] = [];
  const joseOptions = { issuer: "kyros", audience: "kyros", typ: "at+jwt", currentDate: new Date(NOW_MS) };
  for (let round = 0; round < ROUNDS; round++) {
    for (const subject of subjects) subject.ms.push(pass(texts, subject.verify));
    const startMs = performance.now();
    for (const text of texts) await jwtVerify(text.toString("latin1"), key, joseOptions);
    joseMs.push((performance.now() - startMs) / texts.length);
  }

  const [baselineMs, uncachedMs, cachedMs] = subjects.map((subject) => median(subject.ms));
  const minimum = "createHmac + JSON.parse";
  return {
    name: "Access tokens (HS512)",
    rows: [
      { what: "verify, uncached", against: minimum, ratio: baselineMs! / uncachedMs!, goal: 0.95 },
      { what: "verify, cached", against: minimum, ratio: baselineMs! / cachedMs!, goal: 6 },
      { what: "verify, uncached", against: "jose", ratio: median(joseMs) / uncachedMs!, goal: null },
    ],
  };
}

if (import.meta.main) {
  const report = await run();
  console.log(report.name);
  for (const { what, against, ratio, goal } of report.rows) {
    console.log(`  ${what} / ${against}: ${ratio.toFixed(2)}${goal === null ? "" : ` (goal ${goal})`}`);
  }
}
