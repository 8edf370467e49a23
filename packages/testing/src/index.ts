/** Public surface of `@carillon/testing`. */

export { answeringLate, answeringOutOfOrder } from "./answering.ts";
export { assertCost, type CostLimit, type Work } from "./assert-cost.ts";
export { createCountingIds } from "./counting-ids.ts";
export { type FailurePlan, failing, type PlannedFailure } from "./failing.ts";
export { interceptCalls } from "./intercept-calls.ts";
export { ManualClock } from "./manual-clock.ts";
export { MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
export { RecordingLogger } from "./recording-logger.ts";
export { retryAfterCases, retryAfterNow } from "./retry-after-cases.ts";
export { seededRandom } from "./seeded-random.ts";
export { defineTestProtocol } from "./test-protocol.ts";
