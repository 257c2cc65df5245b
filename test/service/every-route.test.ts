import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";
import { spellings } from "./spellings.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];
/** Headers by which a request says that it is another one. */
const OVERRIDES = (path: string): readonly (readonly string[])[] => [
  [],
  [`x-original-url: /healthz`, `x-rewrite-url: ${path}`, `x-forwarded-uri: /healthz`],
  ["x-http-method-override: GET", "x-method-override: GET", `x-forwarded-prefix: ${path}`],
];

describe("every route", () => {
  let service: TestService;
  let user: string;
  let paths: Record<string, Record<string, { requestBody?: unknown }>>;
  let root: { authorization: string };
  before(async () => {
    service = await runService({ KYROS_REGISTRATION: "on" });
    await service.createUser("alice");
    await service.createUser("root", "admin");
    user = (await service.login("alice")).access_token;
    root = bearer((await service.login("root")).access_token);
    paths = (await ask(service, "GET", "/openapi.json")).body.paths;
  });
  after(() => service.stop());

  for (const path of ["/protected", "/user/profile", "/admin/users", "/security/config"]) {
    it(`R15: ${path} is closed in every spelling, by every method, whatever headers say`, async () => {
      const isForAdmins = !["/protected", "/user/profile"].includes(path);
      const targets = spellings(path);
      assert.equal(targets.length, 42);
      for (const target of targets) {
        const requests = METHODS.flatMap((method) =>
          OVERRIDES(path).map((lines) => ({ method, lines, shows: false })),
        );
        if (isForAdmins) {
          const lines = [`authorization: Bearer ${user}`];
          requests.push(...METHODS.map((method) => ({ method, lines, shows: true })));
        }
        await Promise.all(
          requests.map(async ({ method, lines, shows }) => {
            const answer = await sendRaw(service.url, rawRequest(method, target, lines));
            const what = `${method} ${target} ${lines}`;
            assert.ok(answer !== undefined && answer.status >= 400 && answer.status < 500, what);
            if (shows) assert.doesNotMatch(answer.body, /"items"|"KYROS_/, what);
          }),
        );
      }
    });
  }

  it("R16: takes no body of an odd content type without judging it", async () => {
    const types = [
      ...["", "text/plain", "text/plain;application/json", "text/plain, application/json", "TEXT/PLAIN"],
      ...[
        "application/json\t",
        "application/json ;",
        "application/json;",
        "Application/JSON",
        "application/JSON ",
      ],
      ...["application/json; charset=utf-16", "application/json;charset=\u00fctf-8", "application/json/x"],
      ...["application/vnd.api+json", "application/x-www-form-urlencoded ", "multipart/form-data"],
      ...["application/csp-report", "*/*", "application/json,", "application /json", '"application/json"'],
    ];
    const id = "01890000-0000-7000-8000-000000000000";
    let routes = 0;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { requestBody }] of Object.entries(operations)) {
        if (requestBody === undefined) continue;
        routes += 1;
        for (const type of types) {
          const body = Buffer.from('{"not_a_field":1,"role":"admin"}');
          const lines = [
            ...(type === "" ? [] : [`content-type: ${type}`]),
            `authorization: ${root.authorization}`,
          ];
          const target = path.replace("{id}", id);
          const answer = await sendRaw(service.url, rawRequest(method.toUpperCase(), target, lines, body));
          assert.ok([400, 415].includes(answer?.status ?? 0), `${method} ${path} ${type}: ${answer?.status}`);
        }
      }
    }
    assert.ok(routes >= 11, `${routes} routes with a body`);
  });
});
