import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { kyrosCommand } from "../cli/command.ts";
import { freshSecret } from "../config/environments.ts";

const ROOT = join(import.meta.dirname, "../..");
const PASSWORD = "correct horse battery staple";

it("the Fastify example does what its README says, and is one with a service on the same database", async (t) => {
  const variables = { KYROS_SECRET: freshSecret() };
  const kyros = await kyrosCommand(variables);
  t.after(kyros.remove);
  for (const name of ["alice", "root"]) {
    const create = ["user", "create", name, "--role", "admin", "--password-stdin"];
    assert.equal((await kyros.run(create, { input: PASSWORD })).exitCode, 0);
  }

  const app = spawn(process.execPath, ["--conditions=kyros-source", join(ROOT, "examples/fastify/app.ts")], {
    env: { ...variables, DATABASE_URL: kyros.databaseUrl, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => app.kill("SIGKILL"));
  const ended = once(app, "exit");
  const [line] = (await once(createInterface(app.stdout), "line")) as [string];
  const url = /^jobs listening on (http:\S+)$/.exec(line)![1]!;
  const ask = async (path: string, token?: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  assert.deepEqual(await ask("/readyz"), { status: 200, body: { status: "ok" } });
  assert.equal((await ask("/jobs")).status, 401);
  assert.equal((await ask("/login", undefined, { username: "alice", password: "wrong" })).status, 401);
  const login = await ask("/login", undefined, { username: "alice", password: PASSWORD });
  assert.equal(login.status, 200);
  const token = login.body.access_token;
  assert.equal((await ask("/jobs", token, { command: "" })).status, 400);
  const created = await ask("/jobs", token, { command: "build" });
  assert.equal(created.status, 201);
  assert.deepEqual((await ask("/jobs", token)).body, [created.body]);
  assert.deepEqual((await ask("/admin/jobs", token)).body, [created.body]);

  const service = await kyros.serve();
  t.after(service.terminate);
  const greeted = await fetch(`${service.url}/protected`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual(await greeted.json(), { message: "Hello, alice!" });
  assert.equal((await kyros.run(["user", "disable", "alice"])).exitCode, 0);
  assert.equal((await ask("/jobs", token)).status, 401);

  const verified = await kyros.run(["audit", "verify"]);
  assert.equal(verified.exitCode, 0, verified.stdout + verified.stderr);
  app.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);
});
