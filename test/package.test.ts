import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, "..", name), "utf8"));

describe("the package", () => {
  it("has no source maps of sources that are not in it", () => {
    const { sourceMap, declarationMap, inlineSources } = read("tsconfig.build.json").compilerOptions;
    // What is compiled keeps names, lines of code and comments: a stack trace is read in it without a map.
    const isFollowable = inlineSources === true || read("package.json").files.includes("src");
    assert.ok(isFollowable || !(sourceMap || declarationMap));
  });
});
