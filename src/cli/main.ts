#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// What was compiled once is kept for the next start. It lies beside the code, not in the shared temporary directory
// that is Node's default: who can write here can change the code itself. Where it cannot be written, there is none.
enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/kyros", import.meta.url)));
await import("./program.ts");
