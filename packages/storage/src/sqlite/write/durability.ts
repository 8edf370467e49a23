/**
 * What outlives a power cut, and what only the end of the process.
 *
 * A transaction that is not synced is in the log of the database, which the system
 * keeps when the process is killed; the next one that is synced takes it to disk.
 * If the power fails before, it was never there, and nothing that came after it.
 */

import type { OperationName } from "./operations.ts";

/**
 * A lease that is undone is one that ended early: its message is handed out again,
 * as it may be after any lease, and maybe under the same fence. What was cancelled
 * or died as it was looked for is so again, and told again.
 */
const withoutSync: ReadonlySet<string> = new Set<OperationName>([
  "leaseMessages",
]);

/** Whether the operation is answered only once it is on disk. */
export function isSynced(name: string): boolean {
  return !withoutSync.has(name);
}
