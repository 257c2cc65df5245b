import { createHash } from "node:crypto";

/** A secret for tests: the same for the same name, and random enough for a keyring. */
export function secretFor(name: string): string {
  return createHash("sha512").update(name).digest("base64url");
}
