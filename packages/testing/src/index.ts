/** Public surface of `@carillon/testing`. */

export { ManualClock } from "./manual-clock.ts";
export { MemoryStore } from "./memory-store.ts";
