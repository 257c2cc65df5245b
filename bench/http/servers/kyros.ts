import { createKyros, type Kyros } from "../../../src/index.ts";
import { openStores } from "../../../src/stores/open.ts";
import type { Settings } from "./settings.ts";

/** Kyros as its service composes it, over its own SQLite stores; only plain HTTP and the height of the limit differ. */
export async function openKyros({ secret, issuer, audience, kyrosDatabaseUrl }: Settings): Promise<Kyros> {
  return createKyros({
    secret,
    issuer,
    audience,
    stores: await openStores({ databaseUrl: kyrosDatabaseUrl }),
    // So high that nobody is refused: what is measured is the counting.
    limits: { default: "100000000/15m" },
    cors: { origins: ["https://console.example"], credentials: true },
    insecureHttp: true,
  });
}
