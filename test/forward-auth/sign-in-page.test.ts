import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client, Exchange, RequestView } from "../../src/kernel/exchange.ts";
import { createSignInPage } from "../../src/service/forward-auth/sign-in-page.ts";

function of(origin: string, target: string): Exchange {
  const { protocol, host } = new URL(origin);
  const client = { scheme: protocol.slice(0, -1), host } as Client;
  const headerLines = (name: string) => (name === "x-forwarded-host" ? [host] : []);
  const view = { target, path: target.split("?", 1)[0], headerLines } as Partial<RequestView>;
  return { client, view } as Exchange;
}
const shown = (location: string | undefined) => {
  if (location === undefined) return undefined;
  const url = new URL(location);
  return [url.origin + url.pathname, url.searchParams.get("return_to")];
};

describe("where a browser is sent to sign in", () => {
  const here = createSignInPage("/login", []);
  const elsewhere = createSignInPage("https://id.example/in", ["https://app.example"]);

  it("is a page of the host that was asked for, with a path of that host as the way back", () => {
    const location = here(of("https://app.example:8443", "/a?b=c&return_to=https://evil.example#"));
    assert.deepEqual(shown(location), [
      "https://app.example:8443/login",
      "/a?b=c&return_to=https://evil.example#",
    ]);
  });

  it("is another host's page with a way back to a listed origin alone", () => {
    assert.deepEqual(shown(elsewhere(of("https://app.example", "/a?b"))), [
      "https://id.example/in",
      "https://app.example/a?b",
    ]);
    for (const origin of ["http://app.example", "https://evil.example", "https://app.example.evil.example"]) {
      assert.deepEqual(shown(elsewhere(of(origin, "/a"))), ["https://id.example/in", null]);
    }
    assert.deepEqual(shown(elsewhere(of("https://id.example", "/a"))), ["https://id.example/in", "/a"]);
  });

  it("is nowhere for the page itself, which would never end", () => {
    assert.equal(here(of("https://app.example", "/login?x")), undefined);
    assert.equal(elsewhere(of("https://id.example", "/in")), undefined);
  });

  it("forgets a way back that is too long to be asked for again", () => {
    assert.deepEqual(shown(here(of("https://app.example", `/${"a".repeat(2048)}`))), [
      "https://app.example/login",
      null,
    ]);
  });
});
