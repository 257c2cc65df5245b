import { describe } from "node:test";
import { limiterContract } from "../../src/testing/limiter-contract.ts";
import { openClockedLimiter } from "./redis-limits.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";

describe("redis limiter, on a clock that the cases set", { skip: WITHOUT_REDIS }, () => {
  limiterContract(async () => {
    const server = await startRedis();
    const { limiter, close } = await openClockedLimiter(server);
    return {
      limiter,
      async close() {
        close();
        await server.stop();
      },
    };
  });
});
