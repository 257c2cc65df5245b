import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { SettingsFault } from "../config/settings-fault.ts";
import { Outage, Refusal } from "../kernel/failure.ts";
import { DatabaseFault } from "../stores/database-fault.ts";
import { auditCommand } from "./commands/audit.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { keyCommand } from "./commands/key.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { secretCommand } from "./commands/secret.ts";
import { serveCommand } from "./commands/serve.ts";
import { userCommand } from "./commands/user.ts";
import "./standard-output.ts";
import { UsageFault } from "./usage-fault.ts";

const program = new Command("kyros")
  .description("The security of an orchestrator service.")
  .version(packageVersion())
  .showHelpAfterError(false)
  .exitOverride()
  .configureOutput({ outputError: () => undefined });

for (const command of [
  serveCommand(),
  migrateCommand(),
  userCommand(),
  keyCommand(),
  auditCommand(),
  secretCommand(),
  doctorCommand(),
]) {
  program.addCommand(inherit(command));
}
askForCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** As the manifest has it, which lies two folders above this file in a checkout (`src/`) and in a package (`dist/`). */
function packageVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Sub-commands end and print as the program does, however deep. */
function inherit(command: Command): Command {
  command.copyInheritedSettings(program);
  for (const child of command.commands) inherit(child);
  return command;
}

/** Whoever names no command, or half of one, is told in one line what there is, as for any other bad usage. */
function askForCommand(command: Command, called: string = command.name()): void {
  if (command.commands.length === 0) return;
  const names = command.commands.map((child) => child.name()).join(", ");
  // With an action, the help command is no longer there by itself.
  command
    .helpCommand(true)
    .allowExcessArguments()
    .action((_options, { args }: Command) => {
      const wrong = args[0];
      const fault = wrong === undefined ? "" : `unknown command '${wrong}'; `;
      throw new UsageFault(`${fault}give a command: ${names}; ${called} --help says more`);
    });
  for (const child of command.commands) askForCommand(child, `${called} ${child.name()}`);
}

/** One line on standard error, and the exit code: 2 for what was called wrongly, 1 for what did not work. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    return say(error.message.replace(/^error: /, "").replaceAll("\n", " "), 2);
  }
  if (error instanceof UsageFault) return say(error.message, 2);
  if (error instanceof SettingsFault) return say(error.message, 2);
  if (error instanceof DatabaseFault) return say(error.message, 1);
  if (error instanceof Refusal) {
    return say(error.problem.detail, error.problem.code === "validation_failed" ? 2 : 1);
  }
  if (error instanceof Outage) return say(`${error.message}: ${causeOf(error)}`, 1);
  if (isNodeError(error)) return error.code === "EPIPE" ? 1 : say(error.message, 1);
  throw error;
}

function say(message: string, exitCode: number): number {
  process.stderr.write(`kyros: ${message}\n`);
  return exitCode;
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : "no further cause is known";
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
