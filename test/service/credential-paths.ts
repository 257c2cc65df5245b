import assert from "node:assert/strict";
import type { Answer } from "./ask.ts";
import { ask, bearer, fromPage } from "./ask.ts";
import type { Path } from "./credential-cases.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD } from "./running-service.ts";

type Headers = Readonly<Record<string, string>>;

/** A credential in its holder's hands. */
export interface Held {
  /** Shows it as its kind is shown. */
  show(): Promise<Answer>;
  /** What opens other routes by it: the credential itself, or what showing it was answered with. */
  headersAfter(answer: Answer): Headers | undefined;
  /** The same before anything was shown; absent where there is nothing yet. */
  readonly headers?: Headers;
}

/** How a user comes to hold a credential, by each way to show one. */
export type Hold = (name: string) => Promise<Held>;

/** Every path of the table on a running service; `inspector` is a key that may introspect. */
export function credentialPaths(service: TestService, inspector: Headers): Readonly<Record<Path, Hold>> {
  const hello = (headers: Headers) => ask(service, "GET", "/protected", headers);
  const form = (path: string, fields: Record<string, string>, headers: Headers = {}) =>
    ask(service, "POST", path, headers, new URLSearchParams(fields));
  const byToken = ({ body }: Answer) => (body?.access_token ? bearer(body.access_token) : undefined);
  const introspect = (token: string) => form("/oauth/introspect", { token }, inspector);

  async function makeKey(name: string): Promise<{ id: string; key: string }> {
    const { access_token } = await service.login(name);
    const scopes = ["admin:users:read"];
    const made = await ask(service, "POST", "/auth/api-keys", bearer(access_token), { name: "cell", scopes });
    assert.equal(made.status, 201);
    return made.body;
  }

  const grant = ({ id, key }: { id: string; key: string }) =>
    form("/oauth/token", { grant_type: "client_credentials", client_id: id, client_secret: key });

  /** Held and shown as it is, at any route. */
  function direct(headers: Headers): Held {
    return { show: () => hello(headers), headersAfter: () => headers, headers };
  }

  /** Shown in trade for another credential. */
  function traded(show: () => Promise<Answer>): Held {
    return { show, headersAfter: byToken };
  }

  /** Shown where it opens nothing by itself. */
  function shown(show: () => Promise<Answer>): Held {
    return { show, headersAfter: () => undefined };
  }

  const changePassword = (headers: Headers) =>
    ask(service, "POST", "/auth/password", headers, {
      current_password: PASSWORD,
      new_password: "one horse and staple more",
    });
  const serviceToken = async (name: string): Promise<string> =>
    (await grant(await makeKey(name))).body.access_token;
  const secretOf = (cookie: string) => cookie.slice(cookie.indexOf("=") + 1);

  return {
    "password as JSON": async (username) =>
      traded(() => ask(service, "POST", "/auth/login", {}, { username, password: PASSWORD })),
    "password as a form": async (username) =>
      traded(() => form("/auth/login", { username, password: PASSWORD })),
    "password of a browser": async (username) => ({
      show: () => ask(service, "POST", "/auth/session", {}, { username, password: PASSWORD }),
      headersAfter({ headers }) {
        const [cookie] = headers.getSetCookie();
        return cookie === undefined ? undefined : { cookie: cookie.split(";", 1)[0]! };
      },
    }),
    "access token": async (name) => direct(bearer((await service.login(name)).access_token)),
    "refresh token": async (name) => {
      const { refresh_token } = await service.login(name);
      return traded(() => ask(service, "POST", "/auth/refresh", {}, { refresh_token }));
    },
    "session cookie": async (name) => direct({ cookie: (await service.browser(name)).cookie }),
    "API key in X-API-Key": async (name) => direct({ "x-api-key": (await makeKey(name)).key }),
    "API key as a bearer": async (name) => direct(bearer((await makeKey(name)).key)),
    "API key for a client_credentials token": async (name) => {
      const key = await makeKey(name);
      return traded(() => grant(key));
    },
    "client_credentials token": async (name) => direct(bearer(await serviceToken(name))),
    "introspected access token": async (name) => {
      const { access_token } = await service.login(name);
      return shown(() => introspect(access_token));
    },
    "introspected refresh token": async (name) => {
      const { refresh_token } = await service.login(name);
      return shown(() => introspect(refresh_token));
    },
    "introspected client_credentials token": async (name) => {
      const token = await serviceToken(name);
      return shown(() => introspect(token));
    },
    "introspected API key": async (name) => {
      const { key } = await makeKey(name);
      return shown(() => introspect(key));
    },
    "introspected session cookie": async (name) => {
      const { cookie } = await service.browser(name);
      return shown(() => introspect(secretOf(cookie)));
    },
    "password confirmed with an access token": async (name) => {
      const headers = bearer((await service.login(name)).access_token);
      return shown(() => changePassword(headers));
    },
    "password confirmed with a session cookie": async (name) => {
      const headers = fromPage(await service.browser(name));
      return shown(() => changePassword(headers));
    },
  };
}
