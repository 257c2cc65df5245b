import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";

const ROOT = join(import.meta.dirname, "..");
/** npm packs these wherever `files` does not name them. */
const ALWAYS_PACKED = /^(README|LICENSE|package\.json)/;
const read = (name: string) => JSON.parse(readFileSync(join(ROOT, name), "utf8"));

describe("the package", () => {
  it("has every file that its documentation leads to", () => {
    const { files } = read("package.json") as { files: string[] };
    const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".md"),
    );
    for (const name of docs) {
      const folder = join("docs", dirname(name));
      const links = readFileSync(join(ROOT, "docs", name), "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)/g);
      for (const [, link] of links) {
        const target = join(folder, link!);
        assert.ok(existsSync(join(ROOT, target)), `${name} leads to ${target}`);
        const isPacked = files.some((one) => target === one || target.startsWith(`${one}/`));
        assert.ok(isPacked || ALWAYS_PACKED.test(target), `${name} leads to ${target}, which is not packed`);
      }
    }
  });

  it("has no source maps of sources that are not in it", () => {
    const { sourceMap, declarationMap, inlineSources } = read("tsconfig.build.json").compilerOptions;
    // What is compiled keeps names, lines of code and comments: a stack trace is read in it without a map.
    const isFollowable = inlineSources === true || read("package.json").files.includes("src");
    assert.ok(isFollowable || !(sourceMap || declarationMap));
  });
});
