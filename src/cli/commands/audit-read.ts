import type { AuditEntry, AuditQuery, AuditStore, ChainHead } from "../../identity/audit/audit-store.ts";
import { asciiString } from "../../identity/audit/canonical.ts";
import { GENESIS } from "../../identity/audit/chain.ts";
import { entryLine } from "../../identity/audit/entry-line.ts";
import { toOcsf } from "../../identity/audit/ocsf.ts";
import { partiesOf } from "../../identity/audit/parties.ts";
import { statementLine } from "../../identity/audit/statement.ts";
import { EVENT_NAMES, type EventName } from "../../kernel/audit-event.ts";
import { fromRfc3339, toRfc3339 } from "../../kernel/clock.ts";
import { publicAuditEntry } from "../../service/public-audit-entry.ts";
import { asOperator } from "../operator.ts";
import { print } from "../standard-output.ts";
import { UsageFault } from "../usage-fault.ts";

const PAGE = 200;
const MOST_LISTED = 1_000_000;
const BATCH = 1000;

interface ListOptions {
  readonly type?: string;
  readonly user?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly json?: boolean;
}

export async function listTrail(options: ListOptions): Promise<void> {
  const { type, user, json } = options;
  if (type !== undefined && !isEventName(type)) {
    throw new UsageFault(`"${type}" is no type of event; there are ${EVENT_NAMES.join(", ")}`);
  }
  const most = Number(options.limit);
  if (!/^[1-9]\d*$/.test(options.limit) || most > MOST_LISTED) {
    throw new UsageFault(`--limit must be a whole number from 1 to ${MOST_LISTED}`);
  }
  const fromMs = instantOf("--from", options.from);
  const toMs = instantOf("--to", options.to);
  await asOperator(async ({ stores }) => {
    const filters = {
      ...(type !== undefined && { type }),
      ...(user !== undefined && { parties: await partiesOf(stores.accounts, user) }),
      ...(fromMs !== undefined && { fromMs }),
      ...(toMs !== undefined && { toMs }),
    };
    const entries = await collect(stores.audit, filters, most);
    const text = json
      ? JSON.stringify({ items: entries.map(publicAuditEntry), next_cursor: null })
      : entries.map(row).join("\n");
    if (text !== "") await print(text);
  });
}

export async function exportTrail({ format }: { format: "jsonl" | "ocsf" }): Promise<void> {
  await asOperator(async ({ stores, signer, act }) => {
    const { audit } = stores;
    const truncation = (await audit.statements()).findLast(({ kind }) => kind === "truncation");
    if (format === "jsonl" && truncation !== undefined) await print(statementLine(truncation));
    let last: ChainHead = truncation ?? GENESIS;
    const toLine = format === "jsonl" ? entryLine : (entry: AuditEntry) => JSON.stringify(toOcsf(entry));
    for (;;) {
      const entries = await audit.entriesAfter(last.seq, BATCH);
      if (entries.length === 0) break;
      await print(entries.map(toLine).join("\n"));
      last = entries.at(-1)!;
    }
    // Whoever cuts the file cannot sign where it ends.
    if (format === "jsonl") await print(statementLine(signer.sign("checkpoint", last, act.atMs)));
  });
}

async function collect(
  store: AuditStore,
  filters: Omit<AuditQuery, "limit" | "before">,
  most: number,
): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (;;) {
    const limit = Math.min(PAGE, most - entries.length);
    const before = entries.at(-1);
    const page = limit === 0 ? [] : await store.list({ ...filters, limit, ...(before && { before }) });
    entries.push(...page);
    if (page.length < limit || limit === 0) return entries;
  }
}

/** Callers chose some of these texts: none of them may break the line or steer the terminal. */
function row(entry: AuditEntry): string {
  const actor = entry.actorName ?? entry.actorKind;
  const cells = [entry.type, entry.outcome, actor, entry.subject, entry.address, entry.reason];
  const shown = cells.map((cell) => (cell === null ? "-" : asciiString(cell).slice(1, -1)));
  const count = entry.count > 1 ? `×${entry.count}` : "";
  return [toRfc3339(entry.atMs), ...shown, count].join("\t").trimEnd();
}

function instantOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = fromRfc3339(/^[\d-]{10}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (ms !== undefined) return ms;
  throw new UsageFault(`${option} must be an instant like 2026-01-31T12:00:00Z, or a day like 2026-01-31`);
}

function isEventName(text: string): text is EventName {
  return (EVENT_NAMES as readonly string[]).includes(text);
}
