import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, it } from "node:test";
import { asciiString, canonicalDetails, canonicalEntry } from "../../src/identity/audit/canonical.ts";
import { GENESIS, linkRecords } from "../../src/identity/audit/chain.ts";
import { entryLine } from "../../src/identity/audit/entry-line.ts";
import { toRecord } from "../../src/identity/audit/to-record.ts";
import { event } from "./chains.ts";

/** docs/audit.md shows these very bytes. */
const CANONICAL =
  '{"seq":1,"previous":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","at_ms":1700000000123,' +
  '"type":"auth.login.succeeded","outcome":"success","actor":{"kind":"user","id":"u1","name":"Zo\\u00eb"},' +
  '"subject":null,"request_id":null,"address":"192.0.2.1","user_agent":null,"method":null,"path":null,' +
  '"reason":null,"count":1,"details":{"a":"\\"","z":true}}';

describe("the canonical form", () => {
  const [entry] = linkRecords(GENESIS, [
    toRecord(event({ actor: { kind: "user", id: "u1", name: "Zoë" }, details: { z: true, a: '"' } })),
  ]);

  it("is these bytes, and hashes as documented", () => {
    assert.equal(canonicalEntry(entry!), CANONICAL);
    assert.equal(entry!.hash, hash("sha256", `kyros/audit/entry/v1\n${CANONICAL}`, "base64url"));
    assert.equal(entryLine(entry!), `${CANONICAL.slice(0, -1)},"hash":"${entry!.hash}"}`);
  });

  it("is JSON that says the same, whatever the text, in printable ASCII", () => {
    for (const text of [
      "",
      'a"\\',
      "\r\n\t\u0000\u001b[31m",
      "\u2028\u2029\u202e\u2066",
      "\u007f\u0085",
      "🔑é",
      "\ud800",
    ]) {
      const written = asciiString(text);
      assert.match(written, /^[\x20-\x7e]+$/);
      assert.equal(JSON.parse(written), text);
    }
  });

  it("orders details by their names, and knows no number that JSON lacks", () => {
    assert.equal(
      canonicalDetails({ b: 1, a: null, B: false, "\u00e9": Number.NaN, c: 1e21, d: -0.5 }),
      '{"B":false,"a":null,"b":1,"c":1e+21,"d":-0.5,"\\u00e9":null}',
    );
  });

  it("bounds every text and keeps it storable", () => {
    const long = `\0\ud800${"x".repeat(1000)}`;
    const record = toRecord(
      event({
        actor: { kind: "api_key", id: long, name: long },
        subject: long,
        userAgent: long,
        path: long,
        reason: long,
        details: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}${long}`, long])),
      }),
    );
    for (const text of [
      record.actorId,
      record.actorName,
      record.subject,
      record.userAgent,
      record.path,
      record.reason,
    ]) {
      assert.equal(text, `\ufffd\ufffd${"x".repeat(254)}`);
    }
    const details = JSON.parse(record.details!);
    assert.equal(Object.keys(details).length, 16);
    assert.ok(record.details!.length < 16 * 600);
  });
});
