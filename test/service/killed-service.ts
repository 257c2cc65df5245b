import assert from "node:assert/strict";
import { ask, bearer } from "./ask.ts";

type Server = { readonly url: string };
type Ask = [method: string, path: string, headers?: Readonly<Record<string, string>>, body?: unknown];

/** One thing that a client did in steps, and how far the service told it that it got. */
export interface Deed {
  /** Steps that were asked for; the last may be neither done nor undone where it is not acknowledged. */
  asked: number;
  acknowledged: number;
  /** Holds a service to what it acknowledged. */
  verify(server: Server): Promise<void>;
}

/** What clients work with: a user's token, a client's key, and refresh tokens of sessions that nobody has used. */
export interface Means {
  readonly alice: { readonly authorization: string };
  readonly client: { readonly id: string; readonly key: string };
  nextRefreshToken(): string;
}

/** The service went away before it answered. */
export class Gone extends Error {}

async function told(server: Server, ...[method, path, headers, body]: Ask) {
  const answer = await ask(server, method, path, headers, body).catch((cause) => {
    throw new Gone("no answer", { cause });
  });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const status = async (server: Server, ...request: Ask) => (await ask(server, ...request)).status;
const hello = (server: Server, headers: Record<string, string>) =>
  status(server, "GET", "/protected", headers);
const refreshed = (server: Server, refresh_token: string) =>
  status(server, "POST", "/auth/refresh", {}, { refresh_token });

/** Rotates a refresh token and then ends its session, by logout or by its new refresh token. */
function session(means: Means, by: "logout" | "revoke") {
  let pair = { access_token: "", refresh_token: "" };
  return {
    steps: [
      async (server: Server) => {
        const refresh_token = means.nextRefreshToken();
        pair = await told(server, "POST", "/auth/refresh", {}, { refresh_token });
      },
      (server: Server) =>
        by === "logout"
          ? told(server, "POST", "/auth/logout", bearer(pair.access_token))
          : told(server, "POST", "/oauth/revoke", {}, new URLSearchParams({ token: pair.refresh_token })),
    ],
    async verify(server: Server, acknowledged: number) {
      const expected = acknowledged === 2 ? 401 : 200;
      assert.equal(await hello(server, bearer(pair.access_token)), expected, `session, ${by}: access token`);
      assert.equal(await refreshed(server, pair.refresh_token), expected, `session, ${by}: successor`);
    },
  };
}

/** Revokes a service's token. */
function serviceToken({ client }: Means) {
  let token = "";
  return {
    steps: [
      async (server: Server) => {
        const credentials = { client_id: client.id, client_secret: client.key };
        const grant = new URLSearchParams({ grant_type: "client_credentials", ...credentials });
        token = (await told(server, "POST", "/oauth/token", {}, grant)).access_token;
      },
      (server: Server) => told(server, "POST", "/oauth/revoke", {}, new URLSearchParams({ token })),
    ],
    async verify(server: Server, acknowledged: number) {
      assert.equal(await hello(server, bearer(token)), acknowledged === 2 ? 401 : 200, "service token");
    },
  };
}

/** Makes a key, rotates it without an overlap, and revokes it. */
function apiKey({ alice }: Means) {
  let id = "";
  const keys: string[] = [];
  return {
    steps: [
      async (server: Server) => {
        const made = await told(server, "POST", "/auth/api-keys", alice, { name: "ci" });
        id = made.id;
        keys.push(made.key);
      },
      async (server: Server) => {
        const path = `/auth/api-keys/${id}/rotate`;
        keys.push((await told(server, "POST", path, alice, { overlap: "0" })).key);
      },
      (server: Server) => told(server, "DELETE", `/auth/api-keys/${id}`, alice),
    ],
    async verify(server: Server, acknowledged: number) {
      for (const [at, key] of keys.entries()) {
        const expected = acknowledged < 3 && at === acknowledged - 1 ? 200 : 401;
        assert.equal(await hello(server, { "x-api-key": key }), expected, `key ${at + 1} of ${acknowledged}`);
      }
    },
  };
}

const KINDS = [
  (means: Means) => session(means, "logout"),
  (means: Means) => session(means, "revoke"),
  serviceToken,
  apiKey,
];

/** Does one thing after the other until the service is gone, some not to their end; tells of each acknowledged step. */
export async function workUntilGone(
  server: Server,
  means: Means,
  first: number,
  onAcknowledged: () => void,
): Promise<readonly Deed[]> {
  const deeds: Deed[] = [];
  try {
    for (let n = first; ; n += 1) {
      const { steps, verify } = KINDS[n % KINDS.length]!(means);
      const deed: Deed = {
        asked: 0,
        acknowledged: 0,
        async verify(later) {
          if (deed.acknowledged > 0 && deed.asked === deed.acknowledged) {
            await verify(later, deed.acknowledged);
          }
        },
      };
      deeds.push(deed);
      // Every other one keeps its last step undone: what was not revoked must live on.
      for (const step of steps.slice(0, n % 8 < 4 ? steps.length : -1)) {
        deed.asked += 1;
        await step(server);
        deed.acknowledged += 1;
        onAcknowledged();
      }
    }
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return deeds;
  }
}
