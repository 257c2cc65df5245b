import assert from "node:assert/strict";
import { it } from "node:test";
import type { AccountStore } from "../identity/accounts/account.ts";
import { sampleAccount, sampleId } from "./samples.ts";
import type { WithOpened } from "./with-opened.ts";

/** The part of the account contract that lists and searches. */
export function accountListContract(withStore: WithOpened<{ readonly accounts: AccountStore }>): void {
  it("lists in order of id, page by page, each account once", () =>
    withStore(async ({ accounts }) => {
      const order = [7, 2, 9, 0, 4, 1, 8, 3, 6, 5];
      for (const n of order) await accounts.create(sampleAccount(n));
      assert.deepEqual(
        await accounts.list({ limit: 50 }),
        order.map((_, n) => sampleAccount(n)),
      );
      const seen: string[] = [];
      for (let afterId: string | undefined; ; ) {
        const page = await accounts.list({ limit: 3, ...(afterId !== undefined && { afterId }) });
        if (page.length === 0) break;
        assert.ok(page.length <= 3);
        seen.push(...page.map(({ id }) => id));
        afterId = page.at(-1)!.id;
      }
      assert.deepEqual(
        seen,
        order.map((_, n) => sampleId(n)),
      );
      assert.deepEqual(await accounts.list({ limit: 0 }), []);
    }));

  it("goes on after a cursor that names no account, whatever it holds", () =>
    withStore(async ({ accounts }) => {
      for (const n of [1, 2, 3]) await accounts.create(sampleAccount(n));
      assert.equal((await accounts.list({ limit: 9, afterId: "" })).length, 3);
      assert.equal((await accounts.list({ limit: 9, afterId: "zzz' or 1=1 --" })).length, 0);
      const between = `${sampleId(1)}~`;
      assert.deepEqual(
        (await accounts.list({ limit: 9, afterId: between })).map(({ id }) => id),
        [sampleId(2), sampleId(3)],
      );
    }));

  it("searches parts of names and addresses in any case, beyond ASCII too", () =>
    withStore(async ({ accounts }) => {
      await accounts.create(sampleAccount(1, { usernameKey: "zoë", email: "First@Example.ORG" }));
      await accounts.create(sampleAccount(2, { usernameKey: "bob", email: "BOËL@example.com" }));
      await accounts.create(sampleAccount(3, { usernameKey: "ωmega", email: null }));
      const found = async (search: string) =>
        (await accounts.list({ limit: 9, search })).map(({ usernameKey }) => usernameKey);
      assert.deepEqual(await found("OË"), ["zoë", "bob"]);
      assert.deepEqual(await found("example.org"), ["zoë"]);
      assert.deepEqual(await found("ΩMEGA"), ["ωmega"]);
      assert.deepEqual(await found("zoe\u0308"), ["zoë"]);
      assert.deepEqual(await found(""), ["zoë", "bob", "ωmega"]);
      assert.deepEqual(await found("nobody"), []);
      await accounts.update(sampleId(3), { email: "Late@example.net" });
      assert.deepEqual(await found("late@"), ["ωmega"]);
      assert.deepEqual(
        (await accounts.list({ limit: 1, search: "example", afterId: sampleId(1) })).map(({ id }) => id),
        [sampleId(2)],
      );
    }));

  it("takes what is searched for literally, and any text at all", () =>
    withStore(async ({ accounts }) => {
      const names = ["a_b", "axb", "a%b", "a\\b", "ab"];
      for (const [n, usernameKey] of names.entries()) {
        await accounts.create(sampleAccount(n, { usernameKey, email: null }));
      }
      const found = async (search: string) =>
        (await accounts.list({ limit: 9, search })).map(({ usernameKey }) => usernameKey);
      assert.deepEqual(await found("a_b"), ["a_b"]);
      assert.deepEqual(await found("_"), ["a_b"]);
      assert.deepEqual(await found("%"), ["a%b"]);
      assert.deepEqual(await found("\\"), ["a\\b"]);
      assert.deepEqual(await found("\\_"), []);
      for (const text of [
        "a*b",
        "a?b",
        "[a]",
        "' or ''='",
        "a\0b",
        "\0",
        "a".repeat(100_000),
        "%".repeat(60_000),
      ]) {
        assert.deepEqual(await found(text), [], text.slice(0, 20));
      }
    }));
}
