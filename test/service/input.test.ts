import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { RawAnswer } from "./raw-request.ts";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const SIGN_IN = ["/auth/login", "/auth/session"] as const;
const GOOD = JSON.stringify({ username: "alice", password: PASSWORD });
const GOOD_FORM = new URLSearchParams({ username: "alice", password: PASSWORD }).toString();

let service: TestService;
before(async () => {
  service = await runService();
  await service.createUser("alice");
});
afterEach(() => assert.deepEqual(service.failures, []));
after(() => service.stop());

interface Refused {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

function post(path: string, body: string | Uint8Array<ArrayBuffer>, type = JSON_TYPE): Promise<Response> {
  return fetch(service.url + path, { method: "POST", headers: { "content-type": type }, body });
}

async function refusal(response: Response, status: number, code: string): Promise<Refused> {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
  assert.deepEqual(response.headers.getSetCookie(), []);
  const body = (await response.json()) as Refused;
  assert.equal(body.code, code);
  assert.equal(body.status, status);
  return body;
}

/** Sends bytes that `fetch` would not. */
async function raw(method: string, path: string, lines: string[] = [], body = ""): Promise<RawAnswer> {
  const answer = await sendRaw(service.url, rawRequest(method, path, lines, Buffer.from(body)));
  assert.ok(answer !== undefined, "no answer");
  return answer;
}

function assertRawProblem(answer: RawAnswer | undefined, status: number, code: string): void {
  assert.equal(answer?.status, status);
  assert.match(answer.head, /^content-type: application\/problem\+json/im);
  assert.equal(JSON.parse(answer.body).code, code);
}

for (const path of SIGN_IN) {
  describe(`POST ${path}`, () => {
    it("takes what it documents", async () => {
      assert.equal((await post(path, GOOD)).status, 200);
    });

    it("refuses unknown fields and names them", async () => {
      const body = JSON.stringify({ username: "alice", password: PASSWORD, role: "admin" });
      const { errors } = await refusal(await post(path, body), 400, "validation_failed");
      assert.deepEqual(errors, [{ field: "role", message: "is not a known field" }]);
    });

    it("names missing fields", async () => {
      const { errors } = await refusal(await post(path, "{}"), 400, "validation_failed");
      assert.deepEqual(errors?.map(({ field }) => field).sort(), ["password", "username"]);
    });

    const bodies: Readonly<Record<string, string>> = {
      "a name that is a number": JSON.stringify({ username: 1, password: PASSWORD }),
      "a name that is a list": JSON.stringify({ username: ["alice"], password: PASSWORD }),
      "a password that is an object": JSON.stringify({ username: "alice", password: { $ne: "" } }),
      "a password that is null": JSON.stringify({ username: "alice", password: null }),
      "an empty name": JSON.stringify({ username: "", password: PASSWORD }),
      "a list": `[${GOOD}]`,
      null: "null",
      text: '"alice"',
      nothing: "",
      blanks: " \n",
      "half of it": GOOD.slice(0, -1),
      "two documents": GOOD + GOOD,
      "a trailing comma": GOOD.replace("}", ",}"),
      "a comment": `/**/${GOOD}`,
      "single quotes": GOOD.replaceAll('"', "'"),
      NaN: GOOD.replace('"alice"', "NaN"),
      __proto__: GOOD.replace("{", '{"__proto__":{"role":"admin"},'),
      "__proto__ by an escape": GOOD.replace("{", '{"__pr\\u006fto__":{"role":"admin"},'),
      "__proto__ alone": `{"__proto__":${GOOD}}`,
      constructor: GOOD.replace("{", '{"constructor":{"prototype":{}},'),
      prototype: GOOD.replace("{", '{"prototype":{},'),
      toString: GOOD.replace("{", '{"toString":1,'),
      "a name twice": GOOD.replace("{", '{"username":"mallory",'),
      "a name twice by an escape": GOOD.replace("{", '{"usern\\u0061me":"mallory",'),
      "a password twice, the same": GOOD.replace("{", `{"password":${JSON.stringify(PASSWORD)},`),
      "30,000 nested lists": "[".repeat(30_000) + "]".repeat(30_000),
      "nested objects beside the fields": GOOD.replace(
        "{",
        `{"a":${'{"a":'.repeat(9000)}1${"}".repeat(9000)},`,
      ),
      "a lone surrogate": GOOD.replace("alice", "\\ud800"),
    };
    for (const [name, body] of Object.entries(bodies)) {
      it(`refuses ${name}`, async () => {
        const { detail } = await refusal(await post(path, body), 400, "validation_failed");
        assert.equal(detail.includes("alice"), false, "a refusal does not echo the body");
      });
    }

    it("refuses bytes that are not UTF-8", async () => {
      const latin1 = new Uint8Array(Buffer.from(GOOD.replace("alice", "al\xefce"), "latin1"));
      await refusal(await post(path, latin1), 400, "validation_failed");
      await refusal(
        await post(path, new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0])),
        400,
        "validation_failed",
      );
    });

    it("refuses more than 64 KiB, announced or not, and takes that much", async () => {
      const padded = (length: number) => GOOD + " ".repeat(length - GOOD.length);
      assert.equal((await post(path, padded(64 * 1024))).status, 200);
      await refusal(await post(path, padded(64 * 1024 + 1)), 413, "payload_too_large");
      const chunk = `10001\r\n${padded(64 * 1024 + 1)}\r\n0\r\n\r\n`;
      const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n`;
      const chunked = `${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`;
      assertRawProblem(await sendRaw(service.url, chunked), 413, "payload_too_large");
    });

    const types = [
      ...["text/plain", "text/plain;charset=utf-8", "TEXT/PLAIN", "text/json", "text/html", "text/xml"],
      ...["text/plain; application/json", "text/plain, application/json", "application/json, text/plain"],
      ...["application/jsonp", "application/json5", "application/json-seq", "application/ld+json"],
      ...["application/vnd.api+json", "application/xml", "application/octet-stream", "*/*", "json", "x"],
      ...["application/json; charset=utf-16", "application/json; charset=latin1", "application /json"],
      ...["multipart/form-data; boundary=x", "multipart/form-data; application/json", "application/*"],
      ...["application/csp-report", "application/reports+json", "application/json\\", "; application/json"],
    ];
    for (const type of types) {
      it(`R16, R17: does not read JSON that comes as ${type}`, async () => {
        await refusal(await post(path, GOOD, type), 415, "unsupported_media_type");
      });
    }

    it("refuses a request without a body, whatever type it names", async () => {
      for (const type of [[], [`content-type: ${JSON_TYPE}`]]) {
        for (const length of [[], ["content-length: 0"]]) {
          assertRawProblem(await raw("POST", path, [...type, ...length]), 400, "validation_failed");
        }
      }
    });

    it("does not read a body without a content type, or with two", async () => {
      assertRawProblem(await raw("POST", path, [], GOOD), 415, "unsupported_media_type");
      assertRawProblem(await raw("POST", path, ["content-type:"], GOOD), 415, "unsupported_media_type");
      const two = await raw(
        "POST",
        path,
        ["content-type: text/plain", "content-type: application/json"],
        GOOD,
      );
      assertRawProblem(two, 415, "unsupported_media_type");
    });

    it("does not read a body in a content coding, and takes identity as none", async () => {
      for (const coding of ["gzip", "GZIP", "br", "identity, gzip", "x"]) {
        const coded = await raw(
          "POST",
          path,
          [`content-type: ${JSON_TYPE}`, `content-encoding: ${coding}`],
          GOOD,
        );
        assertRawProblem(coded, 415, "unsupported_media_type");
      }
      const plain = await raw(
        "POST",
        path,
        [`content-type: ${JSON_TYPE}`, "content-encoding: Identity"],
        GOOD,
      );
      assert.equal(plain.status, 200);
    });

    for (const type of ["application/json; charset=UTF-8", "Application/JSON", ' application/json ; a="b"']) {
      it(`takes JSON that comes as ${type.trim()}`, async () => {
        assert.equal((await post(path, GOOD, type)).status, 200);
        await refusal(await post(path, "{}", type), 400, "validation_failed");
      });
    }
  });
}

describe("a form", () => {
  it("signs a program in and never a browser", async () => {
    for (const grant of ["grant_type=password&scope=", "grant_type=&client_id="]) {
      assert.equal((await post("/auth/login", `${GOOD_FORM}&${grant}`, FORM_TYPE)).status, 200, grant);
    }
    await refusal(await post("/auth/session", GOOD_FORM, FORM_TYPE), 415, "unsupported_media_type");
  });

  const forms: Readonly<Record<string, string>> = {
    "JSON as its only name": GOOD,
    "an unknown field": `${GOOD_FORM}&role=admin`,
    "a field twice": `username=mallory&${GOOD_FORM}`,
    "bracket notation": "username[]=alice&password[x]=y",
    "a prototype": `${GOOD_FORM}&__proto__=x`,
    "another grant than the password": `${GOOD_FORM}&grant_type=client_credentials`,
    "an escaped prototype": `${GOOD_FORM}&%5f_proto__=x`,
    nothing: "",
  };
  for (const [name, body] of Object.entries(forms)) {
    it(`is refused with ${name}`, async () => {
      await refusal(await post("/auth/login", body, FORM_TYPE), 400, "validation_failed");
    });
  }
});
