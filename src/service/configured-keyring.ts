import { resolveSecret } from "../config/development-secret.ts";
import type { Settings } from "../config/settings.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { generateSecret, openKeyring } from "../crypto/keyring.ts";
import { systemRandom } from "../kernel/random.ts";

/** The keyring over the configured secrets. */
export function openConfiguredKeyring(settings: Settings): Keyring {
  return openKeyring({
    current: resolveSecret(settings, () => generateSecret(systemRandom)),
    previous: settings.previousSecrets,
  });
}
