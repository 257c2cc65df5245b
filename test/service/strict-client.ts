import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { ask, bearer } from "./ask.ts";
import { runService } from "./running-service.ts";

export const AUDIENCE = "https://api.example.com";

export interface Key {
  readonly id: string;
  readonly key: string;
}

/** What a client of `issuer` sees: its requests go to the service, whatever public name they were meant for. */
export async function strictClient(issuer: string, variables: Readonly<Record<string, string>> = {}) {
  const service = await runService({
    KYROS_TOKEN_ISSUER: issuer,
    KYROS_TOKEN_AUDIENCE: AUDIENCE,
    ...variables,
  });
  await service.createUser("alice");
  const alice = bearer((await service.login("alice")).access_token);
  const make = async (scopes: string[]): Promise<Key> =>
    (await ask(service, "POST", "/auth/api-keys", alice, { name: "worker", scopes })).body;
  const options = {
    [oauth.customFetch]: (url: string, init: object) => {
      assert.equal(new URL(url).origin, new URL(issuer).origin);
      return fetch(service.url + url.slice(new URL(url).origin.length), init);
    },
  };
  const discover = async () => {
    const identifier = new URL(issuer);
    const response = await oauth.discoveryRequest(identifier, { ...options, algorithm: "oauth2" });
    return oauth.processDiscoveryResponse(identifier, response);
  };
  return { service, make, options, discover };
}
