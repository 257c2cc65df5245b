import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createAuthenticate } from "../../src/guards/authenticate.ts";
import type { Authenticator } from "../../src/guards/authenticators/authenticator.ts";
import { rejected } from "../../src/kernel/authentication.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { exchangeOf } from "../limits/exchanges.ts";

const authenticator = (
  name: Authenticator["name"],
  authenticate: Authenticator["authenticate"],
): Authenticator => ({
  name,
  isShown: () => true,
  authenticate,
});

/** An outage that is noticed now, or after some milliseconds. */
const fails = (afterMs: number | undefined): Authenticator["authenticate"] =>
  afterMs === undefined
    ? () => {
        throw new Outage("database");
      }
    : async () => {
        await pause(afterMs);
        throw new Outage("database");
      };

describe("a token and a cookie at once, while neither can be looked up", () => {
  // An unhandled rejection fails the test, as it would end a process.
  for (const [token, cookie] of [
    [1, 20],
    [20, 1],
    [1, undefined],
    [1, 1],
  ]) {
    it(`are one outage where the token's shows after ${token} ms and the cookie's after ${cookie ?? "none"}`, async () => {
      const guard = createAuthenticate({
        explicit: [authenticator("bearer", fails(token))],
        ambient: authenticator("session-cookie", fails(cookie)),
      });
      const exchange = exchangeOf({ rule: { access: "user" } });
      await assert.rejects(async () => guard.check(exchange), Outage);
      await pause(40);
    });
  }

  it("are refused for the token's sake where that is known", async () => {
    const guard = createAuthenticate({
      explicit: [authenticator("bearer", () => rejected("access_token", "expired", "token_expired"))],
      ambient: authenticator("session-cookie", async () => rejected("session", "unknown", "unauthenticated")),
    });
    const exchange = exchangeOf({ rule: { access: "user" } });
    await guard.check(exchange);
    assert.equal(exchange.outcome.kind === "rejected" && exchange.outcome.reason.code, "token_expired");
  });
});
