import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CspDirectives } from "../../src/guards/content-security-policy.ts";
import { compileContentSecurityPolicy, NONCE } from "../../src/guards/content-security-policy.ts";

const REPORT = "report-uri /security/csp-report; report-to csp-endpoint";

test("a policy is written directive by directive, with the report destination", () => {
  const hash = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
  const policy = compileContentSecurityPolicy({
    "default-src": ["'self'"],
    "script-src": ["'strict-dynamic'", hash, "https://cdn.example:8443/lib/"],
    "img-src": ["*", "data:", "https://*.example"],
    sandbox: ["allow-scripts"],
    "require-trusted-types-for": ["'script'"],
    "upgrade-insecure-requests": [],
  });
  assert.equal(
    policy.value,
    `default-src 'self'; script-src 'strict-dynamic' ${hash} https://cdn.example:8443/lib/; img-src * data: https://*.example; sandbox allow-scripts; require-trusted-types-for 'script'; upgrade-insecure-requests; ${REPORT}`,
  );
});

test("without a nonce its place is left out, and a directive never becomes empty and so permissive by accident", () => {
  const policy = compileContentSecurityPolicy({ "script-src": [NONCE], "style-src": ["'self'", NONCE] });
  assert.equal(policy.value, `script-src 'none'; style-src 'self'; ${REPORT}`);
  assert.equal(policy.withNonce("abc"), `script-src 'nonce-abc'; style-src 'self' 'nonce-abc'; ${REPORT}`);
  assert.throws(() => compileContentSecurityPolicy({ "script-src": ["'self'"] }).withNonce("abc"), {
    message: /no NONCE/,
  });
});

test("the likely slip is named", () => {
  const table: [directives: CspDirectives, message: RegExp][] = [
    [{ defaultSrc: ["'self'"] }, /unknown directive "defaultSrc"; did you mean default-src\?/],
    [{ "Script-Src": ["'self'"] }, /did you mean script-src\?/],
    [{ script_src: ["'self'"] }, /did you mean script-src\?/],
    [{ "script-source": ["'self'"] }, /unknown directive "script-source"$/],
    [{ "default-src'self'; script-src": ["*"] }, /unknown directive/],
    [{ "report-uri": ["/x"] }, /set already/],
    [{ "report-to": ["x"] }, /set already/],
    [{ "script-src": [] }, /write "'none'"/],
    [{ "script-src": ["self"] }, /without quotes; write "'self'"/],
    [{ "script-src": ["NONE"] }, /without quotes; write "'none'"/],
    [{ "script-src": ["unsafe-inline"] }, /without quotes/],
    [{ "script-src": ["'self"] }, /without quotes; write "'self'"/],
    [{ "script-src": ["'slef'"] }, /unknown keyword "'slef'"/],
    [{ "script-src": ["'https://a.example'"] }, /unknown keyword/],
    [{ "script-src": ["https://a.example'"] }, /stray quote/],
    [{ "script-src": ["'none'", "'self'"] }, /'none' beside other sources/],
    [{ "script-src": ["'none'", NONCE] }, /'none' beside other sources/],
    [{ "script-src": ["'nonce-abc'"] }, /put NONCE there/],
    [{ "script-src": ["nonce-abc"] }, /put NONCE there/],
    [{ "script-src": ["sha256-abc="] }, /without quotes; write "'sha256-abc='"/],
    [{ "script-src": ["'self' https://a.example"] }, /no space/],
    [{ "script-src": ["https://a.example;"] }, /semicolon/],
    [{ "script-src": ["https://a.example,https://b.example"] }, /comma/],
    [{ "script-src": ["a\r\nx: y"] }, /special character/],
    [{ "script-src": ["bücher.example"] }, /special character/],
    [{ "script-src": [""] }, /a source has no space/],
  ];
  for (const [directives, message] of table) {
    assert.throws(() => compileContentSecurityPolicy(directives), { name: "TypeError", message });
  }
});

test("no source can add a directive or a header", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z;, '\r\n]{1,12}$/)), (source) => {
      let value: string;
      try {
        value = compileContentSecurityPolicy({ "img-src": [source] }).value;
      } catch (error) {
        assert.ok(error instanceof TypeError);
        return;
      }
      assert.deepEqual(value.split(/[;,\r\n]\s*/), [`img-src ${source}`, ...REPORT.split("; ")]);
    }),
  );
});
