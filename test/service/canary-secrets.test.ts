import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { encodeBase32 } from "../../src/crypto/totp.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import type { Served } from "../cli/command.ts";
import { kyrosCommand } from "../cli/command.ts";
import { enrolApp } from "../mfa/enrol.ts";
import { addUsers } from "./add-user.ts";
import { ask, bearer } from "./ask.ts";
import type { Canary } from "./leaks.ts";
import { formsOf, leaksOf } from "./leaks.ts";
import { rawRequest, sendRaw } from "./raw-request.ts";

const PASSWORD = 'Canary pässword "1" \\ 100% <&>';
const NEW_PASSWORD = "another-canary-Password/with+base64=";
const WRONG_PASSWORD = "canary-that-opens-nothing";
const STATIC_KEY = "canary_0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const QUERY_SECRET = "canary-in-a-query-q7Zp2mV9xL4t";
const HEADER_SECRET = "canary-in-a-header-R8wK1nB6yH3s";

type Headers = Readonly<Record<string, string>>;

/** All that can be shown to the service: what it issued, and what it never has. */
interface Wallet {
  readonly canaries: readonly Canary[];
  readonly credentials: readonly Headers[];
  readonly body: Readonly<Record<string, string>>;
}

test("no secret is in anything the service writes, at the most talkative level, through every endpoint, failures and a broken database", async () => {
  const kyros = await kyrosCommand();
  const secret = generateSecret(systemRandom);
  try {
    await addUsers(kyros.databaseUrl, { name: "alice", role: "admin", password: PASSWORD });
    const served = await kyros.serve({
      KYROS_SECRET: secret,
      KYROS_LOG_LEVEL: "trace",
      KYROS_API_KEYS: `ci:${STATIC_KEY}`,
      KYROS_REGISTRATION: "on",
      KYROS_RATE_LIMIT: "off",
      KYROS_LOGIN_RATE_LIMIT: "off",
    });
    const wallet = await fill(served);
    await knockEverywhere(served, wallet);
    await breakDatabase(kyros.dataDir);
    await knockEverywhere(served, wallet);
    const { stdout, stderr } = await served.terminate();
    const written = stdout + stderr;
    assert.ok((stdout.match(/"event":"/g) ?? []).length > 100, "events were written");
    assert.match(stdout, /"message":"failure"/, "failures were written");
    assert.deepEqual(leaksOf(written, [...wallet.canaries, { name: "KYROS_SECRET", value: secret }]), []);
  } finally {
    await kyros.remove();
  }
});

test("a canary is found in every form, and wherever it begins in something encoded as a whole", () => {
  const canary: Canary = { name: "password", value: PASSWORD };
  assert.deepEqual(leaksOf("nothing here", [canary]), []);
  for (const forms of Object.values(formsOf(PASSWORD))) {
    for (const form of forms) assert.notDeepEqual(leaksOf(`before ${form} after`, [canary]), [], form);
  }
  for (const before of ["", "u:", "us:", "use:"]) {
    const basic = Buffer.from(`${before}${PASSWORD}${before}`);
    for (const encoding of ["base64", "base64url", "hex"] as const) {
      assert.notDeepEqual(leaksOf(basic.toString(encoding), [canary]), [], `${encoding} of ${before}`);
    }
  }
});

/** Signs in by every way there is, and keeps what comes back. */
async function fill({ url }: Served): Promise<Wallet> {
  const post = (path: string, body: unknown, headers: Headers = {}) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const credentials = { username: "alice", password: PASSWORD };
  const tokens = (await (await post("/auth/login", credentials)).json()) as Record<string, string>;
  const signedIn = bearer(tokens["access_token"]!);
  const { key } = (await (await post("/auth/api-keys", { name: "canary" }, signedIn)).json()) as {
    key: string;
  };
  const session = await post("/auth/session", credentials);
  const cookie = session.headers.getSetCookie()[0]!.split(";", 1)[0]!;
  const csrf = await fetch(`${url}/auth/csrf`, { headers: { cookie } });
  const { csrf_token } = (await csrf.json()) as { csrf_token: string };
  const factors = await enrolAnother(url);
  const canaries = {
    ...factors,
    password: PASSWORD,
    "new password": NEW_PASSWORD,
    "wrong password": WRONG_PASSWORD,
    "static key": STATIC_KEY,
    "query value": QUERY_SECRET,
    "header value": HEADER_SECRET,
    "access token": tokens["access_token"]!,
    "its signature": tokens["access_token"]!.split(".")[2]!,
    "refresh token": tokens["refresh_token"]!,
    "API key": key,
    "its secret": key.split("_")[2]!,
    "session cookie": cookie.split("=")[1]!,
    "CSRF token": csrf_token,
  };
  return {
    canaries: Object.entries(canaries).map(([name, value]) => ({ name, value })),
    credentials: [
      {},
      signedIn,
      { "x-api-key": key },
      { authorization: `Bearer ${key}` },
      { "x-api-key": STATIC_KEY },
      { cookie, "x-csrf-token": csrf_token, "sec-fetch-site": "same-origin" },
      { cookie, "sec-fetch-site": "cross-site", origin: "https://evil.example" },
      { authorization: `Basic ${Buffer.from(`alice:${PASSWORD}`).toString("base64")}` },
      {
        authorization: `Bearer ${HEADER_SECRET}`,
        "x-api-key": HEADER_SECRET,
        cookie: `kyros_session=${HEADER_SECRET}`,
      },
    ],
    body: {
      username: "alice",
      password: WRONG_PASSWORD,
      current_password: PASSWORD,
      new_password: NEW_PASSWORD,
      refresh_token: tokens["refresh_token"]!,
      token: tokens["access_token"]!,
      client_secret: key,
      mfa_token: HEADER_SECRET,
      code: HEADER_SECRET,
    },
  };
}

/** What somebody else's second factor is made of. */
async function enrolAnother(url: string): Promise<Record<string, string>> {
  const post = async (path: string, body: object | undefined, headers: Headers = {}) => {
    const { status, body: answer } = await ask({ url }, "POST", path, headers, body);
    assert.ok(status < 300 || answer.code === "mfa_required", `${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const credentials = { username: "bob", password: NEW_PASSWORD };
  await post("/auth/register", { ...credentials, email: "bob@example.org" });
  const { access_token } = await post("/auth/login", credentials);
  const { secret, recoveryCodes } = await enrolApp({ url }, bearer(access_token));
  const { mfa_token } = await post("/auth/login", credentials);
  await post("/auth/mfa/verify", { mfa_token, method: "recovery_code", code: recoveryCodes[0]! });
  const pending = await post("/auth/login", credentials);
  return {
    "TOTP secret": encodeBase32(secret),
    "its bytes": secret.toString("hex"),
    "used recovery code": recoveryCodes[0]!,
    "recovery code": recoveryCodes[1]!,
    "second step": pending.mfa_token,
    "finished second step": mfa_token,
  };
}

/** Every operation of the service's own description, with each credential and with bodies good, bad and malformed. */
async function knockEverywhere({ url }: Served, { credentials, body }: Wallet): Promise<void> {
  const description = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<
      string,
      Record<string, { requestBody?: { content: Record<string, { schema?: { properties?: object } }> } }>
    >;
  };
  const operations = Object.entries(description.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { requestBody }]) => ({ path, method, requestBody })),
    )
    // What ends sessions comes last.
    .toSorted(
      (a, b) =>
        Number(/session|logout|password|revoke/.test(a.path)) -
        Number(/session|logout|password|revoke/.test(b.path)),
    );
  for (const { path, method, requestBody } of operations) {
    const target = `${url}${path.replaceAll(/\{\w+\}/g, "01890000-0000-7000-8000-000000000001")}?token=${QUERY_SECRET}`;
    const known = Object.keys(Object.values(requestBody?.content ?? {})[0]?.schema?.properties ?? {});
    const fitting = Object.fromEntries(Object.entries(body).filter(([name]) => known.includes(name)));
    const whole = JSON.stringify(body);
    const bodies: readonly (readonly [type: string, text: string])[] =
      method === "get" || method === "head"
        ? [["", ""]]
        : [
            ["application/json", JSON.stringify(fitting)],
            ["application/json", whole],
            ["application/json", whole.slice(0, -5)],
            ["application/x-www-form-urlencoded", new URLSearchParams(body).toString()],
            ["text/plain", whole],
          ];
    const requests = [
      ...credentials.map((headers) => [headers, bodies[0]!] as const),
      ...bodies.slice(1).map((one) => [credentials[1]!, one] as const),
    ];
    for (const [headers, [type, text]] of requests) {
      const answer = await fetch(target, {
        method: method.toUpperCase(),
        redirect: "manual",
        headers: {
          referer: `https://app.example/?t=${QUERY_SECRET}`,
          ...(type && { "content-type": type }),
          ...headers,
        },
        ...(text && { body: text }),
      });
      await answer.arrayBuffer();
    }
  }
  for (const line of [`authorization: Bearer ${HEADER_SECRET} \x01`, `authorization ${HEADER_SECRET}`]) {
    await sendRaw(url, rawRequest("GET", `/protected?token=${QUERY_SECRET}`, [line]));
  }
  await sendRaw(url, rawRequest("GET", "/protected", [`cookie: ${HEADER_SECRET.repeat(1000)}`]));
}

/** What lies under the running service is no database any more. */
async function breakDatabase(dataDir: string): Promise<void> {
  await truncate(join(dataDir, "kyros.db-wal"), 0).catch(() => undefined);
  await writeFile(join(dataDir, "kyros.db"), "this is no database".repeat(1000));
}
