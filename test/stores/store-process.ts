/** A process of its own over a database: does what its parent says, one call of a port after the other. */
import { openStores } from "../../src/stores/open.ts";
import type { Call, Reply } from "./other-process.ts";

const stores = await openStores({ databaseUrl: process.argv[2]! });

process.on("message", (calls: readonly Call[]) => {
  void Promise.all(calls.map(perform)).then((replies) => process.send?.(replies));
});
process.send?.("ready");

async function perform([port, method, ...args]: Call): Promise<Reply> {
  const target = (port === "stores" ? stores : stores[port]) as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  try {
    return { value: (await target[method]!(...args)) ?? null };
  } catch (error) {
    return { error: String(error) };
  }
}
