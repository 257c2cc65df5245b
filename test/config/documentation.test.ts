import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CHECKS } from "../../src/config/checks.ts";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { INSECURE_CHOICES } from "../../src/config/settings.ts";
import { production } from "./environments.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/settings.md"), "utf8");

function section(name: string): string {
  const match = new RegExp(`<!-- ${name}: [^\\n]*-->\\n(.*?)<!-- end of ${name} -->`, "s").exec(PAGE);
  assert.ok(match, `docs/settings.md has a section of ${name}`);
  return match[1]!;
}

test("the table of settings in the documentation is the schema's", () => {
  const rows = SETTINGS.map(
    ([
      ,
      {
        variable,
        kind,
        default: { shown },
        meaning,
        secret,
      },
    ]) => `| \`${variable}\` | ${shown} | ${kind.allowed} | ${meaning}${secret ? " A secret." : ""} |\n`,
  );
  const head = "| variable | default | allowed | meaning |\n|---|---|---|---|\n";
  assert.equal(section("settings"), head + rows.join(""));
});

test("the table of weak settings in the documentation is that of the checks", () => {
  const rows = CHECKS.filter(({ id }) => (INSECURE_CHOICES as readonly string[]).includes(id)).map(
    ({ id, variable, title }) => `| \`${id}\` | \`${variable}\` | ${title} |\n`,
  );
  assert.equal(
    section("choices"),
    `| id | variable | what no longer holds |\n|---|---|---|\n${rows.join("")}`,
  );
});

test("the settings that the documentation shows are taken in production", () => {
  const shown = [...PAGE.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1]!);
  const blocks = shown.filter((block) => /^[A-Z_]+=/m.test(block));
  assert.equal(blocks.length, 3);
  for (const block of blocks) {
    const pairs = [...block.matchAll(/^([A-Z_]+)=(.*)$/gm)].map((match) => [match[1]!, match[2]!] as const);
    const variables = Object.fromEntries(pairs.filter(([variable]) => !variable.endsWith("_FILE")));
    const files = pairs.filter(([variable]) => variable.endsWith("_FILE"));
    const known = SETTINGS.map(([, { variable }]) => `${variable}_FILE`);
    for (const [variable] of files) assert.ok(known.includes(variable), variable);
    assert.doesNotThrow(() => loadSettings(production(variables)));
  }
});
