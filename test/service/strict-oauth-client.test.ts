import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as oauth from "oauth4webapi";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const AUDIENCE = "https://api.example.com";

interface Key {
  readonly id: string;
  readonly key: string;
}

/** What a client of `issuer` sees: its requests go to the service, whatever public name they were meant for. */
async function strictClient(issuer: string, variables: Readonly<Record<string, string>> = {}) {
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

for (const issuer of ["https://auth.example.com", "https://auth.example.com/"]) {
  describe(`a strict OAuth client of ${issuer}`, () => {
    let service: TestService;
    let options: Awaited<ReturnType<typeof strictClient>>["options"];
    let server: oauth.AuthorizationServer;
    let worker: Key;
    let inspector: Key;
    let discover: () => Promise<oauth.AuthorizationServer>;
    before(async () => {
      let make: (scopes: string[]) => Promise<Key>;
      ({ service, make, options, discover } = await strictClient(issuer));
      worker = await make(["jobs:*", "logs:read"]);
      inspector = await make(["introspect"]);
      server = await discover();
    });
    after(() => service.stop());

    const METHODS: Readonly<Record<string, (secret: string) => oauth.ClientAuth>> = {
      client_secret_basic: oauth.ClientSecretBasic,
      client_secret_post: oauth.ClientSecretPost,
    };
    const grant = async (
      client: Key,
      authenticate = oauth.ClientSecretBasic,
      parameters: Record<string, string> = {},
    ) => {
      const identity = { client_id: client.id };
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        identity,
        authenticate(client.key),
        parameters,
        options,
      );
      return oauth.processClientCredentialsResponse(server, identity, response);
    };
    const introspect = async (token: string, authenticate = oauth.ClientSecretBasic, client = inspector) => {
      const identity = { client_id: client.id };
      const response = await oauth.introspectionRequest(
        server,
        identity,
        authenticate(client.key),
        token,
        options,
      );
      return oauth.processIntrospectionResponse(server, identity, response);
    };
    const revoke = async (token: string) => {
      const identity = { client_id: worker.id };
      const response = await oauth.revocationRequest(server, identity, oauth.None(), token, options);
      return oauth.processRevocationResponse(response);
    };
    const hello = async (token: string) => (await ask(service, "GET", "/protected", bearer(token))).status;

    it("takes the metadata, whose methods are those tried here", () => {
      assert.equal(server.issuer, issuer);
      assert.deepEqual(server.token_endpoint_auth_methods_supported, Object.keys(METHODS));
      assert.deepEqual(server.introspection_endpoint_auth_methods_supported, Object.keys(METHODS));
      assert.deepEqual(server.revocation_endpoint_auth_methods_supported, ["none"]);
      assert.deepEqual(server.grant_types_supported, ["client_credentials"]);
      assert.equal(server.jwks_uri, undefined, "HS512 has no public keys");
      for (const endpoint of [
        server.token_endpoint,
        server.revocation_endpoint,
        server.introspection_endpoint,
      ]) {
        assert.match(endpoint!, /^https:\/\/auth\.example\.com\/oauth\/[a-z]+$/);
      }
    });

    for (const [name, authenticate] of Object.entries(METHODS)) {
      it(`is granted and inspects tokens by ${name}`, async () => {
        const granted = await grant(worker, authenticate, { scope: "jobs:run" });
        assert.equal(granted.scope, "jobs:run");
        assert.equal(granted.token_type, "bearer");
        assert.ok(granted.expires_in! > 7190);
        assert.equal(await hello(granted.access_token), 200);
        const seen = await introspect(granted.access_token, authenticate);
        assert.deepEqual([seen.active, seen.client_id, seen.scope], [true, worker.id, "jobs:run"]);
      });

      it(`is told invalid_client by ${name}, in a challenge`, async () => {
        const wrong = { id: worker.id, key: `${worker.key}x` };
        for (const attempt of [grant(wrong, authenticate), introspect("x", authenticate, wrong)]) {
          await assert.rejects(attempt, (error: unknown) => {
            assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, String(error));
            assert.equal(error.status, 401);
            assert.equal(error.cause[0]!.scheme, "basic");
            return true;
          });
        }
      });
    }

    it("revokes, and is told of revoked and foreign tokens that they are inactive", async () => {
      const { access_token } = await grant(worker);
      await revoke(access_token);
      assert.equal(await hello(access_token), 401);
      assert.deepEqual(await introspect(access_token), { active: false });
      await revoke(access_token);
      await revoke("no-token-of-anybody");
      assert.deepEqual(await introspect("no-token-of-anybody"), { active: false });
    });

    const REFUSED: readonly [
      why: string,
      grant: string,
      parameters: Record<string, string>,
      error: string,
    ][] = [
      ["too much scope", "client_credentials", { scope: "admin:users:write" }, "invalid_scope"],
      ["a scope that is none", "client_credentials", { scope: '"' }, "invalid_scope"],
      [
        "refresh, which has an endpoint of its own",
        "refresh_token",
        { refresh_token: "x" },
        "unsupported_grant_type",
      ],
      ["a grant that is not offered", "password", { username: "a", password: "b" }, "unsupported_grant_type"],
      ["a parameter of endless length", "client_credentials", { scope: "a".repeat(5000) }, "invalid_request"],
    ];
    for (const [why, grantType, parameters, expected] of REFUSED) {
      it(`is told ${expected} of ${why}`, async () => {
        const client = { client_id: worker.id };
        const response = await oauth.genericTokenEndpointRequest(
          server,
          client,
          oauth.ClientSecretBasic(worker.key),
          grantType,
          parameters,
          options,
        );
        assert.equal(response.headers.get("cache-control"), "no-store");
        await assert.rejects(
          oauth.processGenericTokenEndpointResponse(server, client, response),
          (error: unknown) => {
            assert.ok(error instanceof oauth.ResponseBodyError, String(error));
            assert.equal(error.status, 400);
            assert.equal(error.error, expected);
            assert.match(error.error_description!, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
            return true;
          },
        );
      });
    }
  });
}

describe("a strict OAuth client of an issuer with a path", () => {
  it("finds the metadata where RFC 8414 section 3.1 puts it", async (t) => {
    const issuer = "https://example.com/auth/kyros";
    const { service, discover } = await strictClient(issuer);
    t.after(() => service.stop());
    const server = await discover();
    assert.equal(server.issuer, issuer);
    assert.equal(server.token_endpoint, `${issuer}/oauth/token`);
  });
});

for (const algorithm of ["EdDSA", "ES256"]) {
  describe(`a strict resource server, with ${algorithm}`, () => {
    it("takes a service's token by the published key, and no other", async (t) => {
      const { service, make, options, discover } = await strictClient("https://auth.example.com", {
        KYROS_TOKEN_ALGORITHM: algorithm,
      });
      t.after(() => service.stop());
      const server = await discover();
      assert.equal(server.jwks_uri, "https://auth.example.com/.well-known/jwks.json");
      const worker = await make(["jobs:run"]);
      const client = { client_id: worker.id };
      const { access_token } = await oauth.processClientCredentialsResponse(
        server,
        client,
        await oauth.clientCredentialsGrantRequest(
          server,
          client,
          oauth.ClientSecretBasic(worker.key),
          {},
          options,
        ),
      );
      const shown = (token: string) =>
        oauth.validateJwtAccessToken(
          server,
          new Request(AUDIENCE, { headers: bearer(token) }),
          AUDIENCE,
          options,
        );
      const claims = await shown(access_token);
      assert.equal(claims.client_id, worker.id);
      assert.equal(claims.scope, "jobs:run");
      const [head, payload, signature] = access_token.split(".") as [string, string, string];
      const altered = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
      await assert.rejects(shown(`${head}.${payload}.${altered}`));
    });
  });
}

describe("an OAuth endpoint", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const FORM = "application/x-www-form-urlencoded";
  const MALFORMED: readonly [what: string, body: string, type: string][] = [
    ["a parameter twice", "grant_type=client_credentials&grant_type=client_credentials", FORM],
    ["a parameter twice, of which one is empty", "token=a&token=", FORM],
    ["bytes that are not UTF-8", "token=\xff", FORM],
    ["a parameter of endless length", `token=${"a".repeat(5000)}&grant_type=${"a".repeat(5000)}`, FORM],
    ["more than any body may have", "a".repeat(65 * 1024), FORM],
    ["JSON", '{"grant_type":"client_credentials","token":"a"}', "application/json"],
    ["nothing", "", FORM],
  ];
  for (const path of ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]) {
    for (const [what, body, type] of MALFORMED) {
      it(`${path} answers ${what} as RFC 6749 section 5.2 has it`, async () => {
        const response = await fetch(service.url + path, {
          method: "POST",
          headers: { "content-type": type },
          body: Buffer.from(body, "latin1"),
        });
        assert.ok(response.status >= 400 && response.status < 500, String(response.status));
        assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
        assert.equal(response.headers.get("cache-control"), "no-store");
        const answer = (await response.json()) as Record<string, unknown>;
        assert.equal(answer["error"], "invalid_request");
        assert.equal(answer["error_description"], answer["detail"]);
        assert.equal(answer["instance"], response.headers.get("x-request-id"));
      });
    }
  }
});
