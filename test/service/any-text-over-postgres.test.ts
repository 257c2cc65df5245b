import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** PostgreSQL stores no NUL, and SQLite does: what only one of them refuses would be a fault of the service's own. */
const TEXT = "a\0bcdefghij";

function sampleOf(schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return sampleOf(schema.anyOf[0]!);
  if (schema.type === "integer" || schema.type === "number") return 1;
  if (schema.type === "boolean") return true;
  if (schema.type === "array") return [sampleOf(schema.items ?? {})];
  if (schema.type === "object") {
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, one]) => [name, sampleOf(one)]),
    );
  }
  return TEXT;
}

describe("over PostgreSQL, NUL in a text", () => {
  let server: PostgresServer;
  let service: TestService;
  let root: { authorization: string };
  let operations: [method: string, path: string, operation: Operation][];
  before(async () => {
    server = await startPostgres();
    service = await runService({ DATABASE_URL: server.url, KYROS_REGISTRATION: "on" });
    await service.createUser("root", "admin");
    root = bearer((await service.login("root")).access_token);
    const { body } = await ask(service, "GET", "/openapi.json");
    operations = Object.entries(body.paths as Record<string, Record<string, Operation>>).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
          method.toUpperCase(),
          path,
          operation,
        ]),
    );
  });
  after(async () => {
    await service?.stop();
    await server?.stop();
  });

  async function holds(method: string, path: string, what: string, init: RequestInit = {}): Promise<void> {
    const headers = { ...root, ...(init.headers as Record<string, string>) };
    const { status } = await fetch(service.url + path, { ...init, method, headers });
    assert.ok(status < 500, `${what} answered ${status}`);
    assert.deepEqual(service.failures, [], what);
  }

  it("of a path or a query is no error of the service's own", async () => {
    for (const [method, path, operation] of operations) {
      if (path.includes("{")) await holds(method, path.replace("{id}", "a%00b"), `${method} ${path}`);
      for (const { name } of (operation.parameters ?? []).filter((one) => one.in === "query")) {
        await holds(method, `${path}?${name}=a%00b`, `${method} ${path}?${name}`);
      }
    }
  });

  it("of a body is no error of the service's own, whichever field it is in", async () => {
    let fields = 0;
    for (const [method, path, { requestBody }] of operations) {
      const target = path.replace("{id}", "01890000-0000-7000-8000-000000000000");
      for (const [type, { schema }] of Object.entries(requestBody?.content ?? {})) {
        const whole = sampleOf({ type: "object", ...schema }) as Record<string, string>;
        for (const field of Object.keys(schema.properties ?? {})) {
          const sent = Object.fromEntries(
            [...new Set([...(schema.required ?? []), field])].map((name) => [name, whole[name]!]),
          );
          const body = type.includes("json") ? JSON.stringify(sent) : new URLSearchParams(sent).toString();
          await holds(method, target, `${method} ${path} ${field}`, {
            body,
            headers: { "content-type": type },
          });
          fields += 1;
        }
      }
    }
    assert.ok(fields > 40, `${fields}`);
  });
});
