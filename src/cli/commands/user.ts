import { Command, Option } from "commander";
import type { Account } from "../../identity/accounts/account.ts";
import type { AccountChange } from "../../identity/accounts/accounts.ts";
import { generatePassword } from "../../identity/accounts/accounts.ts";
import { canonicalUsername } from "../../identity/accounts/username.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/failure.ts";
import type { Role } from "../../kernel/principal.ts";
import { ROLES } from "../../kernel/principal.ts";
import { problem } from "../../kernel/problem.ts";
import { systemRandom } from "../../kernel/random.ts";
import { publicUsers } from "../../service/public-user.ts";
import type { Stores } from "../../stores/open.ts";
import { asOperator } from "../operator.ts";
import { readPassword } from "../standard-input.ts";
import { UsageFault } from "../usage-fault.ts";

const PAGE = 200;

export function userCommand(): Command {
  const user = new Command("user").description("Accounts");

  user
    .command("create <name>")
    .description("create an account; without --password-stdin it prints a generated password once")
    .option("--email <address>", "e-mail address")
    .addOption(new Option("--role <role>", "what the account may do").choices([...ROLES]).default("user"))
    .option("--password-stdin", "read the password from standard input: one line")
    .action(createUser);

  user
    .command("list")
    .description("list all accounts, at the end until when too many failed sign-ins have locked one")
    .option("--json", "print JSON")
    .action(listUsers);

  user
    .command("disable <name>")
    .description("refuse the account from its next request on, and end its sessions")
    .action((name: string) => change(name, { disabled: true }, "is disabled"));
  user
    .command("enable <name>")
    .description("let a disabled or locked account sign in again")
    .action((name: string) => change(name, { disabled: false }, "is enabled"));
  user
    .command("unlock <name>")
    .description("let an account that too many failed sign-ins have locked sign in again at once")
    .action(unlock);
  user
    .command("reset-mfa <name>")
    .description("remove every second factor of an account, and end its sessions: for who has lost them")
    .action(resetFactors);
  user
    .command("role <name> <role>")
    .description(
      `give the account a role: ${ROLES.join(", ")}; it counts from the next request on, and browsers sign in again`,
    )
    .action((name: string, role: string) => {
      if (!isRole(role)) throw new UsageFault(`"${role}" is no role; give ${ROLES.join(", ")}`);
      return change(name, { role }, `is now ${role}`);
    });

  return user;
}

async function createUser(
  name: string,
  options: { email?: string; role: Role; passwordStdin?: boolean },
): Promise<void> {
  const password = options.passwordStdin ? await readPassword() : generatePassword(systemRandom);
  await asOperator(async ({ accounts, act }) => {
    const account = await accounts.create(
      { username: name, email: options.email ?? null, password, role: options.role },
      act,
    );
    process.stdout.write(`created ${account.username} (${account.role})\n`);
    if (!options.passwordStdin) process.stdout.write(`password: ${password}\n`);
  });
}

async function listUsers(options: { json?: boolean }): Promise<void> {
  await asOperator(async ({ stores, lockouts, act }) => {
    const accounts: Account[] = [];
    const lockedUntil = new Map<string, string>();
    for (let page = await stores.accounts.list({ limit: PAGE }); page.length > 0; ) {
      accounts.push(...page);
      const names = page.map(({ usernameKey }) => usernameKey);
      for (const [name, untilMs] of await lockouts.lockedUntil(names, act.atMs)) {
        lockedUntil.set(name, toRfc3339(untilMs));
      }
      page = await stores.accounts.list({ limit: PAGE, afterId: page.at(-1)!.id });
    }
    if (options.json) {
      const users = await publicUsers(stores, accounts);
      const items = users.map((user, at) => ({
        ...user,
        locked_until: lockedUntil.get(accounts[at]!.usernameKey) ?? null,
      }));
      process.stdout.write(`${JSON.stringify({ items, next_cursor: null })}\n`);
      return;
    }
    for (const account of accounts) {
      const state = account.disabled ? "disabled" : "active";
      const locked = lockedUntil.get(account.usernameKey) ?? "-";
      const cells = [account.username, account.role, state, account.email ?? "-", account.id, locked];
      process.stdout.write(`${cells.join("\t")}\n`);
    }
  });
}

async function change(name: string, wanted: AccountChange, done: string): Promise<void> {
  await asOperator(async ({ accounts, stores, act }) => {
    const account = await find(stores, name);
    await accounts.change(account.id, wanted, act);
    process.stdout.write(`${account.username} ${done}\n`);
  });
}

async function unlock(name: string): Promise<void> {
  await asOperator(async ({ accounts, stores, act }) => {
    const account = await find(stores, name);
    const wasLocked = await accounts.unlock(account, act);
    process.stdout.write(`${account.username} ${wasLocked ? "is unlocked" : "was not locked"}\n`);
  });
}

async function resetFactors(name: string): Promise<void> {
  await asOperator(async ({ factors, stores, act }) => {
    const account = await find(stores, name);
    const { totp, passkeys } = await factors.reset(account.id, act);
    const removed = [totp ? "an authenticator app" : "", passkeys > 0 ? `${passkeys} passkeys` : ""];
    const what = removed.filter((one) => one !== "").join(" and ");
    process.stdout.write(
      `${account.username} ${what === "" ? "had no second factor" : `no longer has ${what}`}; all sessions ended\n`,
    );
  });
}

async function find(stores: Stores, name: string): Promise<Account> {
  const key = canonicalUsername(name)?.key;
  const account = key === undefined ? undefined : await stores.accounts.findByUsernameKey(key);
  if (account === undefined) {
    throw new Refusal(problem("not_found", `there is no user "${name}"; kyros user list shows them`));
  }
  return account;
}

function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}
