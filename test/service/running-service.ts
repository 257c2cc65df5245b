import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSettings } from "../../src/config/load.ts";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import type { Role } from "../../src/kernel/principal.ts";
import { startService } from "../../src/service/start.ts";
import type { Stores } from "../../src/stores/open.ts";
import { addUser, PASSWORD } from "./add-user.ts";

export { PASSWORD };

/** Below what may be configured: a hash of no more than a millisecond. */
const CHEAP = 4;

export interface TestService {
  readonly url: string;
  readonly metricsUrl: string | undefined;
  readonly dataDir: string;
  readonly stores: Stores;
  /** Every event so far. */
  readonly events: readonly AuditEvent[];
  readonly failures: readonly unknown[];
  /** Creates a user with `PASSWORD` and returns the id. */
  createUser(name: string, role?: Role): Promise<string>;
  /** Signs a program in. */
  login(name: string): Promise<{ access_token: string; refresh_token: string }>;
  /** Signs a browser in: the `Cookie` header to send, and the CSRF token of its session. */
  browser(name: string): Promise<{ cookie: string; csrf: string }>;
  stop(): Promise<void>;
}

/**
 * The whole service on a free port and a database of its own, with limits off and cheap hashes unless `variables` say
 * otherwise.
 */
export async function runService(variables: Readonly<Record<string, string>> = {}): Promise<TestService> {
  const dataDir = await mkdtemp(join(tmpdir(), "kyros-service-"));
  const read = loadSettings({
    KYROS_PORT: "0",
    KYROS_DATA_DIR: dataDir,
    KYROS_RATE_LIMIT: "off",
    KYROS_LOGIN_RATE_LIMIT: "off",
    ...variables,
  });
  const bcryptCost = variables["KYROS_BCRYPT_COST"] === undefined ? CHEAP : read.bcryptCost;
  const settings = { ...read, bcryptCost };
  const events: AuditEvent[] = [];
  const failures: unknown[] = [];
  const service = await startService(settings, {
    events: { record: (event) => void events.push(event) },
    failure: (error) => void failures.push(error),
    info: () => undefined,
  });

  async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  return {
    url: service.url,
    metricsUrl: service.metricsUrl,
    dataDir,
    stores: service.stores,
    events,
    failures,
    createUser: (name, role = "user") => addUser(service.stores, { name, role, cost: bcryptCost }),
    async login(name) {
      const response = await post("/auth/login", { username: name, password: PASSWORD });
      if (response.status !== 200)
        throw new Error(`login answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as { access_token: string; refresh_token: string };
    },
    async browser(name) {
      const response = await post("/auth/session", { username: name, password: PASSWORD });
      if (response.status !== 200) throw new Error(`sign-in answered ${response.status}`);
      const cookie = response.headers.getSetCookie()[0]!.split(";", 1)[0]!;
      const csrf = await fetch(`${service.url}/auth/csrf`, { headers: { cookie } });
      return { cookie, csrf: ((await csrf.json()) as { csrf_token: string }).csrf_token };
    },
    async stop() {
      await service.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
