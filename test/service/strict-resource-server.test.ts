import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as oauth from "oauth4webapi";
import { bearer } from "./ask.ts";
import { AUDIENCE, strictClient } from "./strict-client.ts";

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
