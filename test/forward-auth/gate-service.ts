import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";

const RULES = [
  "/assets public",
  "/hello optional",
  "/admin role:admin",
  "/people people",
  "/never nobody",
  "GET /reports scope:reports:read",
].join(", ");

/** What a browser says that asks for a page. */
export const PAGE = ["accept: text/html,application/xhtml+xml", "sec-fetch-mode: navigate"];

/** A service with a policy for the gate, and credentials of each kind. */
export interface GateService {
  readonly service: TestService;
  /** Access tokens of a user, of an admin; an API key of the admin with the scopes `reports:read` and `jobs:*`. */
  readonly alice: string;
  readonly root: string;
  readonly key: string;
  /** The browser session of the user. */
  readonly cookie: string;
  readonly csrf: string;
}

export async function runGate(): Promise<GateService> {
  const service = await runService({
    KYROS_TRUST_PROXY: "127.0.0.1",
    KYROS_GATE_RULES: RULES,
    KYROS_LOGIN_URL: "/login?from=gate",
    KYROS_FORCE_HTTPS: "on",
  });
  const asProxy = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" };
  const signIn = (path: string, username: string) =>
    ask(service, "POST", path, asProxy, { username, password: PASSWORD });
  await service.createUser("alice");
  await service.createUser("root", "admin");
  const alice: string = (await signIn("/auth/login", "alice")).body.access_token;
  const root: string = (await signIn("/auth/login", "root")).body.access_token;
  const wanted = { name: "reporter", scopes: ["reports:read", "jobs:*"] };
  const made = await ask(service, "POST", "/auth/api-keys", { ...asProxy, ...bearer(root) }, wanted);
  const session = await signIn("/auth/session", "alice");
  const cookie = session.headers.getSetCookie()[0]!.split(";", 1)[0]!;
  const csrf: string = (await ask(service, "GET", "/auth/csrf", { ...asProxy, cookie })).body.csrf_token;
  return { service, alice, root, key: made.body.key, cookie, csrf };
}
