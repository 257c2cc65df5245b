import { once } from "node:events";
import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { generateSecret } from "../../src/crypto/keyring.ts";
import type { AuditEvent, Kyros, KyrosOptions, Role } from "../../src/index.ts";
import { createAccessToken, createKyros } from "../../src/index.ts";
import { systemRandom } from "../../src/kernel/random.ts";

/** A library instance with users by their role, and a signed-in browser. */
export interface TestKyros {
  readonly kyros: Kyros;
  readonly events: readonly AuditEvent[];
  readonly failures: readonly unknown[];
  /** Access tokens by role. */
  readonly tokens: Readonly<Record<Role, string>>;
  /** The cookie of a user's browser session, and its CSRF token. */
  readonly cookie: string;
  readonly csrf: string;
}

export async function testKyros(options: Partial<KyrosOptions> = {}): Promise<TestKyros> {
  const events: AuditEvent[] = [];
  const failures: unknown[] = [];
  const kyros = createKyros({
    secret: generateSecret(systemRandom),
    insecureHttp: true,
    bcryptCost: 10,
    limits: { default: "off" },
    events: { record: (event) => void events.push(event) },
    onFailure: (error) => void failures.push(error),
    ...options,
  });
  const tokens: Partial<Record<Role, string>> = {};
  const act = () => ({ atMs: kyros.clock.now(), actor: { kind: "operator" } as const });
  const accounts = await Promise.all(
    (["user", "moderator", "admin"] as const).map((role) =>
      kyros.accounts.create(
        { username: role, email: null, password: "correct horse battery staple", role },
        act(),
      ),
    ),
  );
  for (const account of accounts) tokens[account.role] = await createAccessToken(kyros, account);
  const { session, secret } = await kyros.sessions.startBrowser(accounts[0]!, act());
  const csrf = kyros.csrfTokens.issue(`${session.id}@${session.authenticatedAtMs}`, kyros.clock.now());
  return {
    kyros,
    events,
    failures,
    tokens: tokens as Record<Role, string>,
    cookie: `kyros_session=${secret}`,
    csrf,
  };
}

/** Serves on a free port until the test has run. */
export async function serve(
  listener: RequestListener | Server,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server = typeof listener === "function" ? createServer(listener) : listener;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
