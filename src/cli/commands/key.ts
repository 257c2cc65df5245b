import { Command } from "commander";
import { canonicalUsername } from "../../identity/accounts/username.ts";
import type { ApiKey } from "../../identity/api-keys/api-key.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { parseDuration } from "../../kernel/duration.ts";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import type { ApiKeyWish } from "../../service/new-api-key.ts";
import { newApiKey } from "../../service/new-api-key.ts";
import type { Stores } from "../../stores/open.ts";
import { asOperator } from "../operator.ts";
import { UsageFault } from "../usage-fault.ts";

const PAGE = 200;

/** The options that a field of a wish is given by. */
const OPTIONS: Readonly<Record<string, string>> = {
  name: "--name",
  scopes: "--scope",
  expires_in: "--expires",
  rate_limits: "--rate",
};

interface CreateOptions {
  readonly name: string;
  readonly owner?: string;
  readonly scope?: readonly string[];
  readonly expires?: string;
  readonly rate?: readonly string[];
}

export function keyCommand(): Command {
  const key = new Command("key").description("API keys");

  key
    .command("create")
    .description("make an API key and print it once")
    .requiredOption("--name <name>", "what people know the key by")
    .option("--owner <user>", "the user it acts for; without one, it stands for itself")
    .option("--scope <scope>", "what it may do, like jobs:read; give it several times for more", append)
    .option("--expires <duration>", "when it ends, like 90d; without it, never")
    .option("--rate <limit>", "its own limit, like 100/1m; give it several times for more", append)
    .action(createKey);

  key
    .command("list")
    .description("list all API keys that are not revoked")
    .option("--json", "print JSON")
    .action(listKeys);
  key.command("revoke <id>").description("refuse the key from its next request on").action(revokeKey);
  key
    .command("rotate <id>")
    .description("give the key a new secret and print the new key once")
    .option("--overlap <duration>", "how long the old one works beside it, like 24h, or 0", "24h")
    .action(rotateKey);

  return key;
}

async function createKey(options: CreateOptions): Promise<void> {
  const { name, owner, scope, expires, rate } = options;
  const wish: ApiKeyWish = {
    name,
    ...(scope && { scopes: scope }),
    ...(expires !== undefined && { expires_in: expires }),
    ...(rate && { rate_limits: rate }),
  };
  // Read before the database is opened: what was called wrongly needs none.
  readWish(wish, null, 0);
  await asOperator(async ({ apiKeys, stores, act }) => {
    const ownerId = owner === undefined ? null : await findUserId(stores, owner);
    const { apiKey, text } = await apiKeys.create(readWish(wish, ownerId, act.atMs), act);
    process.stdout.write(`created ${apiKey.name} (${apiKey.id})\nkey: ${text}\n`);
  });
}

async function listKeys(options: { json?: boolean }): Promise<void> {
  await asOperator(async ({ stores }) => {
    const keys: ApiKey[] = [];
    for (let page = await stores.apiKeys.list({ limit: PAGE }); page.length > 0; ) {
      keys.push(...page.filter((one) => one.revokedAtMs === null));
      page = await stores.apiKeys.list({ limit: PAGE, afterId: page.at(-1)!.id });
    }
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ items: keys.map(publicKey), next_cursor: null })}\n`);
      return;
    }
    for (const one of keys.map(publicKey)) {
      const cells = [one.id, one.name, one.owner_id ?? "-", one.scopes.join(" ") || "-"];
      process.stdout.write(`${cells.join("\t")}\t${one.expires_at ?? "-"}\t${one.last_used_at ?? "-"}\n`);
    }
  });
}

async function revokeKey(id: string): Promise<void> {
  await asOperator(async ({ apiKeys, stores, act }) => {
    const apiKey = await findKey(stores, id);
    if (!(await apiKeys.revoke(apiKey, act))) throw noSuchKey(id);
    process.stdout.write(`${apiKey.name} is revoked\n`);
  });
}

async function rotateKey(id: string, { overlap }: { overlap: string }): Promise<void> {
  const overlapMs = overlap === "0" ? 0 : parseDuration(overlap);
  if (overlapMs === undefined) throw new UsageFault("--overlap must be a duration like 24h, or 0");
  await asOperator(async ({ apiKeys, stores, act }) => {
    const apiKey = await findKey(stores, id);
    const rotated = await apiKeys.rotate(apiKey, overlapMs, act);
    if (rotated === undefined) {
      throw new Refusal(problem("conflict", "the key was just rotated or revoked; kyros key list shows it"));
    }
    process.stdout.write(`rotated ${apiKey.name} (${apiKey.id})\nkey: ${rotated.text}\n`);
  });
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** What a wish says, or the usage fault that names the options with a wrong value. */
function readWish(wish: ApiKeyWish, ownerId: string | null, nowMs: number) {
  try {
    return newApiKey(wish, ownerId, nowMs);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const faults = (error.problem.errors ?? []).map(
      ({ field, message }) => `${OPTIONS[field] ?? field} ${message}`,
    );
    throw new UsageFault([...new Set(faults)].join("; "));
  }
}

async function findUserId(stores: Stores, name: string): Promise<string> {
  const key = canonicalUsername(name)?.key;
  const account = key === undefined ? undefined : await stores.accounts.findByUsernameKey(key);
  if (account !== undefined) return account.id;
  throw new Refusal(problem("not_found", `there is no user "${name}"; kyros user list shows them`));
}

async function findKey(stores: Stores, id: string): Promise<ApiKey> {
  const apiKey = await stores.apiKeys.findById(id);
  if (apiKey === undefined || apiKey.revokedAtMs !== null) throw noSuchKey(id);
  return apiKey;
}

function noSuchKey(id: string): Refusal {
  return new Refusal(problem("not_found", `there is no API key "${id}"; kyros key list shows them`));
}

function publicKey(apiKey: ApiKey) {
  return {
    id: apiKey.id,
    name: apiKey.name,
    owner_id: apiKey.ownerId,
    scopes: apiKey.scopes,
    address_ranges: apiKey.addressRanges,
    rate_limits: apiKey.rateLimits,
    expires_at: apiKey.expiresAtMs === null ? null : toRfc3339(apiKey.expiresAtMs),
    created_at: toRfc3339(apiKey.createdAtMs),
    last_used_at: apiKey.lastUsedAtMs === null ? null : toRfc3339(apiKey.lastUsedAtMs),
  };
}
