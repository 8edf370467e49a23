/** Public surface of `@carillon/testing`. */

export { ManualClock } from "./manual-clock.ts";
export { MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
export { seededRandom } from "./seeded-random.ts";
export {
  answeringAtOnce,
  answeringLate,
  answeringOutOfOrder,
  type FailurePlan,
  failing,
  type PlannedFailure,
} from "./store-wrappers.ts";
