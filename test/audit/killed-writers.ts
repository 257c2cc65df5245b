import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { verifyStore } from "../../src/identity/audit/verify-trail.ts";
import { openStores } from "../../src/stores/open.ts";
import { signer } from "./chains.ts";

interface Writer {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown[]>;
  readonly acknowledged: string[];
  readonly errors: string[];
}

function startWriter(databaseUrl: string, name: string): Writer {
  const writer = spawn(process.execPath, [join(import.meta.dirname, "trail-writer.ts"), databaseUrl, name]);
  const acknowledged: string[] = [];
  const errors: string[] = [];
  createInterface({ input: writer.stdout }).on("line", (line) => acknowledged.push(line));
  createInterface({ input: writer.stderr }).on("line", (line) => errors.push(line));
  return { process: writer, exited: once(writer, "close"), acknowledged, errors };
}

async function hasWritten(writer: Writer, count: number): Promise<void> {
  while (writer.acknowledged.length < count) {
    assert.equal(writer.process.exitCode, null, writer.errors.join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/**
 * Two processes append to the trail of one database (migrated, of any kind) while one of them in turn is killed
 * outright and replaced. In the end the chain must be whole and hold everything that was acknowledged.
 */
export async function killWriters(databaseUrl: string, rounds: number): Promise<void> {
  const all: Writer[] = [];
  const start = (n: number) => {
    const writer = startWriter(databaseUrl, `writer${n}`);
    all.push(writer);
    return writer;
  };
  const pair = [start(0), start(1)];
  for (let round = 0; round < rounds; round += 1) {
    const victim = pair[round % 2]!;
    await hasWritten(victim, 3 + (round % 7));
    victim.process.kill("SIGKILL");
    await victim.exited;
    pair[round % 2] = start(round + 2);
  }
  for (const writer of pair) {
    writer.process.kill("SIGKILL");
    await writer.exited;
  }
  const stores = await openStores({ databaseUrl });
  try {
    const verdict = await verifyStore(stores.audit, { publicKeys: signer.publicKeys });
    assert.equal(verdict.kind, "whole", JSON.stringify(verdict));
    const subjects = new Set<string | null>();
    for (let seq = 0; ; ) {
      const entries = await stores.audit.entriesAfter(seq, 1000);
      if (entries.length === 0) break;
      for (const entry of entries) subjects.add(entry.subject);
      seq = entries.at(-1)!.seq;
    }
    const acknowledged = all.flatMap((writer) => writer.acknowledged);
    assert.ok(acknowledged.length > rounds);
    assert.deepEqual(
      acknowledged.filter((subject) => !subjects.has(subject)),
      [],
    );
    assert.deepEqual(
      all.flatMap(({ errors }) => errors),
      [],
    );
  } finally {
    await stores.close();
  }
}
