import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { loosePath, readPlainPath } from "../../src/net/plain-path.ts";

describe("a path in its one reading", () => {
  const plain: readonly (readonly [target: string, path: string])[] = [
    ["/", "/"],
    ["/jobs", "/jobs"],
    ["/jobs/", "/jobs/"],
    ["/jobs?x=/../%2f;\\", "/jobs"],
    ["/%6aobs", "/jobs"],
    ["/a%20b", "/a b"],
    ["/%C3%BC", "/ü"],
    ["/a//b", "/a//b"],
    ["/a.b/..c/...", "/a.b/..c/..."],
    ["/100%25", "/100%"],
    ["/~a!$&'()*+,=:@-._", "/~a!$&'()*+,=:@-._"],
  ];
  for (const [target, path] of plain) {
    it(`reads ${target}`, () => assert.deepEqual(readPlainPath(target), { path }));
  }

  const ambiguous = {
    "not a path of visible characters": [
      "",
      "jobs",
      "*",
      "/a b",
      "/a#b",
      "/\u00fc",
      "/a\n",
      "http://a/b",
      "/a\u007f",
    ],
    "begins with two slashes": ["//", "//a", "///a"],
    "encoded slash": ["/a%2fb", "/a%2Fb", "/%2f"],
    "malformed percent-encoding": ["/%", "/%4", "/%zz", "/%u0061", "/%c0%af", "/%ff", "/%ed%a0%80"],
    backslash: ["/a\\b", "/a%5cb", "/\\a"],
    "path parameter": ["/a;b", "/a%3bb", "/a;/b"],
    "control character": ["/a%00", "/a%0d%0a", "/a%7f", "/a%c2%85"],
    "encoded twice": ["/%2561", "/a%252fb", "/%25%36%31"],
    "encoded delimiter": ["/a%3fb", "/a%23b"],
    "dot segment": ["/.", "/..", "/a/../b", "/a/./b", "/%2e%2e/a", "/a/.%2e", "/a/%2E/"],
  };
  for (const [reason, targets] of Object.entries(ambiguous)) {
    for (const target of targets) {
      it(`finds ${JSON.stringify(target)} ambiguous: ${reason}`, () => {
        assert.deepEqual(readPlainPath(target), { ambiguous: reason });
      });
    }
  }

  it("reads what a URL parser reads, wherever it reads anything", () => {
    const part = fc.constantFrom(
      ...[
        "a",
        "B",
        "/",
        ".",
        "..",
        "%2e",
        "%2f",
        "%61",
        "%5c",
        "\\",
        ";",
        "%25",
        "?",
        "#",
        "%00",
        " ",
        "%",
        "//",
        "ü",
      ],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const target = `/${parts.join("")}`;
        const reading = readPlainPath(target);
        if (!("path" in reading)) return;
        assert.equal(decodeURIComponent(new URL(target, "http://a.example").pathname), reading.path);
      }),
      { numRuns: 2000 },
    );
  });

  it("has a loosest reading that ignores case, doubled slashes, look-alikes, and dots and spaces at an end", () => {
    for (const path of [
      "/Admin",
      "/ADMIN",
      "/admin.",
      "/admin ",
      "/admin...",
      "//admin",
      "/ａdmin",
      "/admın".replace("ı", "i"),
    ])
      assert.equal(loosePath(path), "/admin", path);
    assert.equal(loosePath("/ſtats/K"), "/stats/k");
    assert.equal(loosePath("/a./b /c"), "/a/b/c");
    assert.equal(loosePath("/a.b"), "/a.b");
  });
});
