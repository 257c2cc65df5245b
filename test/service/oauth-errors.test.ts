import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

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
