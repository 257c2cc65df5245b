import { describe } from "node:test";
import { limiterContract } from "../../src/testing/limiter-contract.ts";
import { openClockedLimiter } from "./redis-limits.ts";
import { startRedis } from "./redis-server.ts";

describe("redis limiter, on a clock that the cases set", () => {
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
