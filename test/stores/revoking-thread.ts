/** A thread that revokes each token it is told of, and says so once that is acknowledged. */
import { parentPort, workerData } from "node:worker_threads";
import { openStores } from "../../src/stores/open.ts";

const stores = await openStores({ databaseUrl: `sqlite:${workerData.path}` });
parentPort!.on("message", async (tokenId: string) => {
  await stores.revocations.revoke(tokenId, 1);
  parentPort!.postMessage(tokenId);
});
parentPort!.postMessage("open");
