import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const ROW = /^\| (R\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$/gm;

/** Files under `test` by the numbers in the names of their tests. */
function namedTests(): ReadonlyMap<string, ReadonlySet<string>> {
  const files = new Map<string, Set<string>>();
  for (const path of readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".test.ts")) continue;
    const text = readFileSync(join(ROOT, "test", path), "utf8");
    for (const [, names] of text.matchAll(/\b(?:it|test|describe)\(\s*["`]((?:R\d+(?:, |: ))+)/g)) {
      for (const [number] of names!.matchAll(/R\d+/g)) {
        files.set(number, (files.get(number) ?? new Set()).add(path));
      }
    }
    // Rows of a table of tests, whose names begin with the number too.
    for (const [, number] of text.matchAll(/^\s+"(R\d+): [^"]+": \{/gm)) {
      files.set(number!, (files.get(number!) ?? new Set()).add(path));
    }
  }
  return files;
}

describe("the regressions of peers", () => {
  it("each have their tests where docs/threats.md says", () => {
    const threats = readFileSync(join(ROOT, "docs/threats.md"), "utf8");
    const rows = [...threats.matchAll(ROW)];
    assert.ok(rows.length > 20);
    const found = namedTests();
    for (const [, number, cell] of rows) {
      const files = [...cell!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
      assert.ok(files.length > 0, `${number} has no test`);
      const missing = files.filter((file) => !found.get(number!)?.has(file));
      assert.deepEqual(missing, [], `${number} is in the name of no test there`);
    }
  });
});
