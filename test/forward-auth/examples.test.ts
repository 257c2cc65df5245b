import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadSettings } from "../../src/config/load.ts";

const read = (name: string) => readFileSync(join(import.meta.dirname, "../../examples/gate", name), "utf8");
const IDENTITY = ["User", "Role", "Scopes"];
const aliases = IDENTITY.flatMap((name) =>
  ["X_Auth_", "X_Auth-", "X-Auth_", "X.Auth.", "X.Auth-", "X-Auth."].map((prefix) => prefix + name),
);

/** Traefik and Envoy are not started here: their files are held to what they are documented to do. */
describe("examples/gate", () => {
  it("has Traefik replace every identity header, and drop its aliases", () => {
    const text = read("traefik.yml");
    assert.match(text, /trustForwardHeader: false/);
    assert.match(text, /address: http:\/\/127\.0\.0\.1:8000\/forward-auth$/m);
    assert.match(text, /authResponseHeaders: \[X-Auth-User, X-Auth-Role, X-Auth-Scopes, X-Request-Id\]/);
    assert.match(text, /middlewares: \[drop-claims, kyros\]/);
    for (const name of [...aliases, "Forwarded", "X-Original-URL", "X-Original-Method", "X-Request-Id"]) {
      assert.ok(text.includes(`\n          ${name}: ""\n`), name);
    }
  });

  it("has Envoy replace every identity header, drop its aliases, and send what Kyros judges by", () => {
    const text = read("envoy.yaml");
    const [asked = "", answered = ""] = text.split("http_service:");
    const list = (part: string) => [...part.matchAll(/exact: ([a-z-]+)/g)].map((match) => match[1]);
    assert.deepEqual(list(answered), ["x-auth-user", "x-auth-role", "x-auth-scopes"]);
    const judged = [
      ...["cookie", "x-api-key", "x-csrf-token", "origin", "sec-fetch-site", "sec-fetch-mode", "accept"],
      ...["content-type", "sec-websocket-version", "x-forwarded-for", "x-forwarded-proto", "user-agent"],
    ];
    for (const name of judged) assert.ok(list(asked).includes(name), name);
    // What another proxy would tell of a request, and no client shall.
    for (const name of ["x-forwarded-uri", "x-forwarded-host", "x-original-url", "forwarded"]) {
      assert.ok(!list(asked).includes(name), name);
    }
    assert.match(text, /path_prefix: \/forward-auth$/m);
    assert.match(text, /failure_mode_allow: false/);
    assert.match(text, /use_remote_address: true/);
    // An internal client's own X-Request-Id would be kept.
    assert.match(text, /internal_address_config: \{ unix_sockets: false \}/);
    assert.doesNotMatch(text, /cidr_ranges|preserve_external_request_id/);
    assert.match(text, /headers_with_underscores_action: DROP_HEADER/);
    for (const name of aliases.filter((one) => one.includes("."))) {
      assert.ok(text.includes(`- ${name.toLowerCase()}\n`), name);
    }
  });

  it("has settings in docs/forward-auth.md that are taken", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/forward-auth.md"), "utf8");
    const block = /```sh\n(.*?)```/s.exec(page)![1]!;
    const variables = Object.fromEntries(
      [...block.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    const settings = loadSettings(variables);
    assert.equal(settings.gateRules.length, 4);
    assert.equal(settings.loginUrl, "/login");
    for (const name of page.matchAll(/\]\(\.\.\/examples\/gate\/([^)]+)\)/g))
      assert.ok(read(name[1]!).length > 0);
  });
});
