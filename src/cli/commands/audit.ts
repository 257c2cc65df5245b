import { Command, Option } from "commander";
import { loadSettings } from "../../config/load.ts";
import { isEd25519PublicKey } from "../../crypto/ed25519.ts";
import type { Statement } from "../../identity/audit/audit-store.ts";
import {
  createStatementSigner,
  looksLikeStatement,
  parseStatement,
  statementLine,
} from "../../identity/audit/statement.ts";
import { checkpointOf } from "../../identity/audit/trail.ts";
import type { Verdict } from "../../identity/audit/verify-chain.ts";
import { verifyExport, verifyStore } from "../../identity/audit/verify-trail.ts";
import { openConfiguredKeyring } from "../../service/configured-keyring.ts";
import { linesOf, readTextFile } from "../lines-of.ts";
import { asOperator } from "../operator.ts";
import { UsageFault } from "../usage-fault.ts";
import { exportTrail, listTrail } from "./audit-read.ts";

interface VerifyOptions {
  readonly checkpoint?: string;
  readonly file?: string;
  readonly publicKey?: readonly string[];
  readonly json?: boolean;
}

export function auditCommand(): Command {
  const audit = new Command("audit").description("The audit trail");

  audit
    .command("verify")
    .description("walk the chain: exit 0 where it is whole, 1 where it is broken, naming the first bad entry")
    .option(
      "--checkpoint <file>",
      "a statement of `kyros audit checkpoint`, kept elsewhere: shows a cut tail",
    )
    .option("--file <export>", "verify an export in JSONL in place of the database")
    .option("--public-key <key>", "trust this key's statements; several times for more", append)
    .option("--json", "print JSON")
    .action(verify);
  audit
    .command("list")
    .description("list entries, newest first")
    .option("--type <type>", "entries of this type, like auth.login.failed")
    .option("--user <user>", "entries of what a user did or what was done to the user, by name or id")
    .option("--from <instant>", "from this instant on (RFC 3339), or from the beginning of a day (UTC)")
    .option("--to <instant>", "before this instant or day")
    .option("--limit <count>", "at most so many", "50")
    .option("--json", "print JSON")
    .action(listTrail);
  audit
    .command("export")
    .description("print every entry, oldest first: as JSONL that can be verified, or as OCSF events")
    .addOption(new Option("--format <format>", "how").choices(["jsonl", "ocsf"]).default("jsonl"))
    .action(exportTrail);
  audit
    .command("checkpoint")
    .description("print a signed statement of the chain's head, to keep elsewhere")
    .action(printCheckpoint);

  return audit;
}

async function verify(options: VerifyOptions): Promise<void> {
  const { file, json } = options;
  for (const key of options.publicKey ?? []) {
    if (!isEd25519PublicKey(key))
      throw new UsageFault(`--public-key "${key}" is no Ed25519 key in base64url`);
  }
  const checkpoint = options.checkpoint === undefined ? undefined : readCheckpoint(options.checkpoint);
  const trusted = (own: readonly string[]) => ({
    publicKeys: [...own, ...(options.publicKey ?? [])],
    ...(checkpoint && { checkpoint }),
  });
  const verdict =
    file === undefined
      ? await asOperator(({ stores, signer }) => verifyStore(stores.audit, trusted(signer.publicKeys)))
      : await verifyExport(linesOf(file), trusted(ownKeys(options)));
  process.stdout.write(`${json ? JSON.stringify(asJson(verdict)) : asText(verdict, checkpoint)}\n`);
  if (verdict.kind === "broken") process.exitCode = 1;
}

/** Whoever is given a key needs no secret: an auditor has none. */
function ownKeys({ publicKey }: VerifyOptions): readonly string[] {
  return publicKey === undefined
    ? createStatementSigner(openConfiguredKeyring(loadSettings())).publicKeys
    : [];
}

function readCheckpoint(path: string): Statement {
  const statement = readTextFile(path)
    .split("\n")
    .filter(looksLikeStatement)
    .map(parseStatement)
    .findLast((one) => one?.kind === "checkpoint");
  if (statement === undefined) {
    throw new UsageFault(`${path} has no checkpoint as kyros audit checkpoint prints it`);
  }
  return statement;
}

function asText(verdict: Verdict, checkpoint: Statement | undefined): string {
  if (verdict.kind === "broken")
    return `broken at entry ${verdict.seq} (${verdict.fault}): ${verdict.finding}`;
  const { entries, base, head } = verdict;
  const lines = [`whole: ${entries} entries, the last is ${head.seq} with hash ${head.hash}`];
  if (base.seq > 0)
    lines.push(`entries 1 to ${base.seq} were removed for their age; the record of it is signed`);
  if (checkpoint !== undefined && checkpoint.seq < base.seq) {
    lines.push(`the given checkpoint is of entry ${checkpoint.seq}, which was removed: it shows nothing`);
  }
  return lines.join("\n");
}

function asJson(verdict: Verdict) {
  if (verdict.kind === "broken") {
    return { whole: false, seq: verdict.seq, fault: verdict.fault, finding: verdict.finding };
  }
  const { entries, base, head } = verdict;
  return { whole: true, entries, removed_up_to: base.seq, head };
}

async function printCheckpoint(): Promise<void> {
  await asOperator(async ({ stores, signer, act }) => {
    process.stdout.write(`${statementLine(await checkpointOf(stores.audit, signer, act.atMs))}\n`);
  });
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
