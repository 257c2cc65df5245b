import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as oauth from "oauth4webapi";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import type { Key } from "./strict-client.ts";
import { strictClient } from "./strict-client.ts";

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
