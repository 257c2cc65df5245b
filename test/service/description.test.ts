import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

interface Media {
  readonly schema: Readonly<Record<string, unknown>>;
}
interface Documented {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Documented>>;
}

describe("GET /openapi.json", () => {
  let service: TestService;
  let text: string;
  let description: Record<string, Record<string, unknown>>;
  let operations: [method: string, path: string, operation: Operation][];
  before(async () => {
    service = await runService({ KYROS_REGISTRATION: "on" });
    text = await (await fetch(`${service.url}/openapi.json`)).text();
    description = JSON.parse(text);
    operations = Object.entries(description["paths"] as Record<string, Record<string, Operation>>).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
          method,
          path,
          operation,
        ]),
    );
  });
  after(() => service.stop());

  function resolved(reference: string): unknown {
    let found: unknown = description;
    for (const name of reference.replace(/^#\//, "").split("/")) {
      found = (found as Record<string, unknown> | undefined)?.[name];
    }
    return found;
  }
  const responseOf = ({ responses }: Operation, status: number): Documented => {
    const response = responses[status] ?? responses["default"]!;
    return response.$ref === undefined ? response : (resolved(response.$ref) as Documented);
  };

  it("refers to nothing that is not there, and names every operation once", () => {
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);
    assert.ok(references.length > 100);
    for (const reference of references) assert.notEqual(resolved(reference), undefined, reference);
    const names = operations.map(([, , { operationId }]) => operationId);
    assert.deepEqual([...new Set(names)], names);
    assert.ok(
      names.every((name) => /^[a-z][A-Za-z0-9]+$/.test(name)),
      names.join(),
    );
  });

  it("says of every operation what it answers, takes and is closed to", () => {
    assert.ok(operations.length > 40);
    for (const [method, path, operation] of operations) {
      const what = `${method} ${path}`;
      const statuses = Object.keys(operation.responses);
      assert.ok(
        statuses.some((status) => status.startsWith("2")),
        what,
      );
      for (const status of statuses) {
        const said = responseOf(operation, Number(status)).description ?? "";
        assert.doesNotMatch(said, /^$|Default Response/, `${what} ${status}`);
      }
      if (isClosed(operation)) assert.ok(statuses.includes("401"), what);
      if (operation.requestBody !== undefined) {
        assert.ok(Object.keys(operation.requestBody.content).length > 0, what);
        for (const status of ["400", "413", "415"]) assert.ok(statuses.includes(status), `${what} ${status}`);
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? [])
        .filter((one) => one.in === "path")
        .map(({ name }) => name);
      assert.deepEqual(declared, inPath, what);
    }
  });

  it("asks for a body where there has to be one", () => {
    const free = operations.filter(([, , { requestBody }]) => requestBody?.required === false);
    assert.deepEqual(
      free.map(([method, path]) => `${method} ${path}`),
      ["post /auth/passkeys/login/options", "post /auth/api-keys/{id}/rotate"],
    );
  });

  it("gives refusals the media type that they have, on each route for nobody and for nonsense", async () => {
    for (const [method, path, operation] of operations) {
      const target = path.replace("{id}", "01890000-0000-7000-8000-000000000000");
      const refused = [
        ...(isClosed(operation) ? [{}] : []),
        ...(operation.requestBody === undefined ? [] : [{ body: "{}", headers: { "content-type": "x/y" } }]),
      ];
      for (const init of refused) {
        const answer = await fetch(service.url + target, { method: method.toUpperCase(), ...init });
        const type = answer.headers.get("content-type")!.split(";")[0]!;
        const documented = responseOf(operation, answer.status);
        assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path}`);
        assert.deepEqual(Object.keys(documented.content ?? {}), [type], `${method} ${path} ${answer.status}`);
      }
    }
  });

  it("tells of what answers to an admin hold, no more and no less", async () => {
    await service.createUser("root", "admin");
    const root = bearer((await service.login("root")).access_token);
    await ask(service, "POST", "/auth/api-keys", root, { name: "ci" });
    let checked = 0;
    for (const [method, path, operation] of operations) {
      if (method !== "get" || path.includes("{") || path.includes("passkeys")) continue;
      const answer = await fetch(service.url + path, { headers: root });
      if (answer.status !== 200) continue;
      const body = await answer.text();
      if (body === "") {
        assert.equal(responseOf(operation, 200).content, undefined, path);
        continue;
      }
      const type = answer.headers.get("content-type")!.split(";")[0]!;
      const schema = responseOf(operation, 200).content?.[type]?.schema;
      assert.ok(schema !== undefined, `${path} answers ${type}`);
      if (type === "application/json") assertFits(JSON.parse(body), schema, path);
      checked += 1;
    }
    assert.ok(checked > 15, `${checked}`);
  });
});

function isClosed({ security }: Operation): boolean {
  return security.length > 0 && security.every((scheme) => Object.keys(scheme).length > 0);
}

/** As far as schemas of this service go: types, required members, and no member that is not told of. */
function assertFits(value: unknown, schema: Readonly<Record<string, unknown>>, at: string): void {
  const alternatives = schema["anyOf"] as Readonly<Record<string, unknown>>[] | undefined;
  if (alternatives !== undefined) {
    const fits = alternatives.some((one) => fitsType(value, one["type"] as string | undefined));
    assert.ok(fits, `${at} is ${JSON.stringify(value)}`);
    return;
  }
  assert.ok(fitsType(value, schema["type"] as string | undefined), `${at} is ${JSON.stringify(value)}`);
  const allowed = schema["enum"] as unknown[] | undefined;
  if (allowed !== undefined) assert.ok(allowed.includes(value), `${at} is ${JSON.stringify(value)}`);
  const properties = schema["properties"] as Record<string, Record<string, unknown>> | undefined;
  if (properties !== undefined) {
    const members = value as Record<string, unknown>;
    for (const name of (schema["required"] ?? []) as string[]) assert.ok(name in members, `${at}.${name}`);
    for (const [name, member] of Object.entries(members)) {
      assert.ok(properties[name] !== undefined, `${at}.${name} is not told of`);
      assertFits(member, properties[name], `${at}.${name}`);
    }
  }
  const items = schema["items"] as Readonly<Record<string, unknown>> | undefined;
  if (items !== undefined) for (const item of value as unknown[]) assertFits(item, items, `${at}[]`);
}

function fitsType(value: unknown, type: string | undefined): boolean {
  if (type === undefined) return true;
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type && value !== null;
}
