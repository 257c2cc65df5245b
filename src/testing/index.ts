/** What a store of one's own is tested with: a contract suite for each port, a clock and a random source to steer. */
export { accountStoreContract } from "./account-store-contract.ts";
export { apiKeyStoreContract } from "./api-key-store-contract.ts";
export { auditStoreContract } from "./audit-store-contract.ts";
export { challengeStoreContract } from "./challenge-store-contract.ts";
export { factorStoreContract } from "./factor-store-contract.ts";
export { limiterContract } from "./limiter-contract.ts";
export { lockoutStoreContract } from "./lockout-store-contract.ts";
export type { ManualClock } from "./manual-clock.ts";
export { manualClock } from "./manual-clock.ts";
export { overrideStoreContract } from "./override-store-contract.ts";
export { refreshTokenStoreContract } from "./refresh-token-store-contract.ts";
export { revocationStoreContract } from "./revocation-store-contract.ts";
export { seededRandom } from "./seeded-random.ts";
export { sessionStoreContract } from "./session-store-contract.ts";
export { statisticsStoreContract } from "./statistics-store-contract.ts";
