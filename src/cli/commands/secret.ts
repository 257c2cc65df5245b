import { Command } from "commander";
import { generateSecret } from "../../crypto/keyring.ts";
import { systemRandom } from "../../kernel/random.ts";

export function secretCommand(): Command {
  const secret = new Command("secret").description("Secrets");
  secret
    .command("generate")
    .description("print 64 random bytes in base64url, for KYROS_SECRET")
    .action(() => {
      process.stdout.write(`${generateSecret(systemRandom)}\n`);
    });
  return secret;
}
