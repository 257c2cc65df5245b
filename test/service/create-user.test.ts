import assert from "node:assert/strict";
import { it } from "node:test";
import type { AuditEvent } from "../../src/index.ts";
import { authenticateUser, createKyros, createUser, currentUser, Refusal } from "../../src/index.ts";
import { freshSecret } from "../config/environments.ts";

it("a host makes users, who can sign in, and is refused what would be no user", async () => {
  const events: AuditEvent[] = [];
  const kyros = createKyros({
    secret: freshSecret(),
    bcryptCost: 10,
    events: { record: (event) => void events.push(event) },
  });
  const password = "correct horse battery staple";
  const alice = await createUser(kyros, { username: "alice", password });
  assert.deepEqual(alice, { id: alice.id, username: "alice", email: null, role: "user" });
  assert.deepEqual(await authenticateUser(kyros, "alice", password), alice);
  const root = await createUser(kyros, {
    username: "root",
    password,
    email: "root@example.com",
    role: "admin",
  });
  assert.deepEqual([root.email, root.role], ["root@example.com", "admin"]);
  assert.deepEqual(
    events.filter(({ name }) => name === "user.created").map(({ actor }) => actor.kind),
    ["operator", "operator"],
  );

  const refused: [string, string, Parameters<typeof createUser>[1]][] = [
    ["conflict", "", { username: "ALICE", password }],
    ["validation_failed", "username", { username: "no name", password }],
    ["validation_failed", "password", { username: "bob", password: "short" }],
    ["validation_failed", "email", { username: "bob", password, email: "nope" }],
    ["validation_failed", "role", { username: "bob", password, role: "root" as "admin" }],
  ];
  for (const [code, field, user] of refused) {
    await assert.rejects(
      createUser(kyros, user),
      (error: { problem: { code: string; errors?: object[] } }) => {
        assert.equal(error.problem.code, code);
        if (field !== "")
          assert.deepEqual(
            error.problem.errors?.map((one) => "field" in one && one.field),
            [field],
          );
        return true;
      },
    );
  }
  assert.equal(await authenticateUser(kyros, "bob", password), null);

  // As of a body that the host has not looked at.
  for (const text of [undefined, null, 1, { $ne: "" }, ["alice"]] as unknown as string[]) {
    assert.equal(await authenticateUser(kyros, text, password), null);
    assert.equal(await authenticateUser(kyros, "alice", text), null);
    await assert.rejects(currentUser(kyros, text), (error) => {
      assert.ok(error instanceof Refusal);
      assert.equal(error.problem.code, "token_invalid");
      return true;
    });
  }
});
