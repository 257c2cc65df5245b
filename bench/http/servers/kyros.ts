import { createKyros, type Kyros, type KyrosOptions } from "../../../src/index.ts";
import { openStores } from "../../../src/stores/open.ts";
import type { Settings } from "./settings.ts";

/** Kyros as its service composes it; only plain HTTP and the height of the limit differ. */
export function kyrosOptions({ secret, issuer, audience }: Settings): KyrosOptions {
  return {
    secret,
    issuer,
    audience,
    // So high that nobody is refused: what is measured is the counting.
    limits: { default: "100000000/15m" },
    cors: { origins: ["https://console.example"], credentials: true },
    insecureHttp: true,
  };
}

/** The same over its own SQLite stores. */
export async function openKyros(settings: Settings): Promise<Kyros> {
  const stores = await openStores({ databaseUrl: settings.kyrosDatabaseUrl });
  return createKyros({ ...kyrosOptions(settings), stores });
}
