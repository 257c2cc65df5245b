import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { PROBLEMS } from "../src/kernel/problem.ts";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Who may import whom; what is not listed fails. A layer may always import itself where `SIBLINGS` does not forbid it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  net: ["kernel"],
  crypto: ["kernel"],
  identity: ["kernel", "crypto", "net"],
  guards: ["kernel", "crypto", "identity", "net"],
  pipeline: ["kernel", "guards", "net"],
  // Of identity and guards only the port types: see the type-only rule below.
  stores: ["kernel", "identity", "guards"],
  telemetry: ["kernel"],
  adapters: ["kernel", "pipeline"],
  config: ["kernel", "net", "guards"],
  service: [
    "kernel",
    "net",
    "crypto",
    "identity",
    "guards",
    "pipeline",
    "stores",
    "telemetry",
    "adapters",
    "config",
  ],
  cli: ["kernel", "crypto", "identity", "stores", "config", "service"],
  testing: ["kernel", "crypto", "identity", "stores"],
  index: ["kernel", "identity", "guards", "pipeline", "service"],
};

/** Packages with a reason to be in one layer alone. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  "node:crypto": ["crypto"],
  bcrypt: ["crypto"],
  "@simplewebauthn/server": ["crypto"],
  "lean-qr": ["service"],
  jose: [],
  fastify: ["adapters", "service"],
  express: ["adapters"],
  hono: ["adapters"],
  "node:sqlite": ["stores"],
  kysely: ["stores"],
  pg: ["stores"],
  ioredis: ["stores"],
  commander: ["cli"],
  pino: ["service", "cli"],
  "ipaddr.js": ["net"],
  typebox: ["service"],
  "prom-client": ["telemetry"],
  "@opentelemetry/api": ["telemetry"],
};

/** Words that are the privilege of one file. */
const ONLY_THERE: readonly {
  readonly pattern: RegExp;
  readonly files: readonly string[];
  readonly what: string;
}[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, files: ["kernel/clock.ts"], what: "the system's clock" },
  { pattern: /\bMath\.random\b/, files: [], what: "a weak random source" },
  {
    pattern: /\brandomBytes\b|\bgetRandomValues\b|\brandomUUID\b/,
    files: ["kernel/random.ts"],
    what: "randomness",
  },
  { pattern: /\bprocess\.env\b/, files: ["config/load.ts"], what: "the environment" },
];

/** The package of a module's specifier, without a path inside it. */
const packageOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0];

const MOST_LINES = 250;
const BANNED_NAMES = /(^|[-/])(utils?|helpers?|managers?|misc)([-./]|$)|(^|\/)common[./]/;

interface Source {
  readonly path: string;
  readonly layer: string;
  readonly text: string;
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean; readonly lazy: boolean }[];
}

const files = sources(SRC);

describe("the house", () => {
  it("lets each layer import only what the table lists", () => {
    const faults = files.flatMap((file) =>
      file.imports
        .filter((one) => one.from.startsWith("."))
        .map((one) => ({ ...one, to: layerOf(relative(SRC, join(SRC, dirname(file.path), one.from))) }))
        .filter((one) => one.to !== file.layer && !MAY_IMPORT[file.layer]?.includes(one.to))
        .map((one) => `${file.path} imports ${one.from}`),
    );
    assert.deepEqual(faults, []);
  });

  it("keeps stores to the ports of the domain: types, and what a port's docstring defines", () => {
    const allowed = /\/(account|lockout|session|refresh-token|revocation|api-key|factor)\.ts$/;
    const faults = files
      .filter((file) => file.layer === "stores")
      .flatMap((file) =>
        file.imports
          .filter((one) => /\/(identity|guards)\//.test(one.from) && !one.typeOnly && !allowed.test(one.from))
          .map((one) => `${file.path} imports the code of ${one.from}`),
      );
    assert.deepEqual(faults, []);
  });

  it("keeps siblings apart: no guard imports a guard, no adapter an adapter, no backend another", () => {
    const isGuard = (path: string) => /^guards\/[^/]+\.ts$/.test(path) && /name: "/.test(textOf(path));
    const isAdapter = (path: string) => /^adapters\/(fastify|node|express|hono)\.ts$/.test(path);
    const backend = (path: string) => /^stores\/(memory|sql|redis)\//.exec(path)?.[1];
    const faults = files.flatMap((file) =>
      file.imports
        .filter((one) => one.from.startsWith("."))
        .map((one) => relative(SRC, join(SRC, dirname(file.path), one.from)))
        .filter(
          (to) =>
            (isGuard(file.path) && isGuard(to)) ||
            (isAdapter(file.path) && isAdapter(to)) ||
            (backend(file.path) && backend(to) && backend(file.path) !== backend(to)),
        )
        .map((to) => `${file.path} imports its sibling ${to}`),
    );
    assert.deepEqual(faults, []);
  });

  it("imports each package only where the table has it", () => {
    const faults = files.flatMap((file) =>
      file.imports
        .filter((one) => Object.hasOwn(ONLY_IN, packageOf(one.from)) && !one.typeOnly)
        .filter((one) => !ONLY_IN[packageOf(one.from)]?.includes(file.layer))
        .map((one) => `${file.path} imports ${one.from}`),
    );
    assert.deepEqual(faults, []);
  });

  it("reads clock, randomness and environment in one file each", () => {
    const faults = files.flatMap((file) =>
      ONLY_THERE.filter(
        (rule) => rule.pattern.test(withoutComments(file.text)) && !rule.files.includes(file.path),
      ).map((rule) => `${file.path} reads ${rule.what}`),
    );
    assert.deepEqual(faults, []);
  });

  it("keeps files short and named for what they are", () => {
    const everywhere = [...files, ...sources(join(ROOT, "test")), ...sources(join(ROOT, "bench"))];
    const long = everywhere
      .filter((file) => file.text.split("\n").length - 1 > MOST_LINES)
      .map((file) => file.path);
    const misnamed = everywhere
      .map((file) => file.path)
      .filter((path) => BANNED_NAMES.test(path) || !/^[a-z0-9-./]+$/.test(path));
    assert.deepEqual(long, []);
    assert.deepEqual(misnamed, []);
  });

  it("loads no framework, driver or server with the public face", () => {
    const loaded = reachable("index.ts");
    const heavy = [
      "fastify",
      "express",
      "hono",
      "hono/route",
      "node:sqlite",
      "pg",
      "kysely",
      "ioredis",
      "pino",
      "commander",
      "node:http",
      "@fastify/swagger",
      "prom-client",
      "@simplewebauthn/server",
      "lean-qr",
    ];
    const faults = [...loaded].flatMap((path) =>
      files
        .find((file) => file.path === path)!
        .imports.filter((one) => !one.typeOnly && !one.lazy && heavy.includes(one.from))
        .map((one) => `${path} loads ${one.from}`),
    );
    assert.deepEqual(faults, []);
  });
});

describe("the documents", () => {
  it("explain every problem code, and no other", () => {
    const documented = [
      ...readFileSync(join(ROOT, "docs/errors.md"), "utf8").matchAll(/^## `([a-z_]+)`/gm),
    ].map((match) => match[1]);
    assert.deepEqual(documented.sort(), Object.keys(PROBLEMS).sort());
  });
});

function sources(root: string): readonly Source[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, layer: layerOf(path), text, imports: importsOf(text) };
    });
}

function importsOf(text: string): Source["imports"] {
  const statements = withoutComments(text).matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/gms,
  );
  return [...statements].map((match) => ({
    from: match[2] ?? match[3]!,
    typeOnly: match[1] !== undefined,
    lazy: match[3] !== undefined,
  }));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function layerOf(path: string): string {
  return path.includes("/") ? path.split("/")[0]! : path.replace(/\.ts$/, "");
}

function textOf(path: string): string {
  return files.find((file) => file.path === path)?.text ?? "";
}

function reachable(entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const one of files.find((file) => file.path === path)?.imports ?? []) {
      if (one.from.startsWith(".") && !one.typeOnly) visit(relative(SRC, join(SRC, dirname(path), one.from)));
    }
  };
  visit(entry);
  return seen;
}
