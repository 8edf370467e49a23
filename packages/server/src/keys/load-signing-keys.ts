/** Loads the keys that messages are signed with, beside the start. */

import { CarillonError, type Logger } from "@carillon/core";

/**
 * Logs that they were not loaded, and never rejects: the store may be back for
 * the first signature. What a start that fails cuts off is no news.
 */
export async function loadSigningKeys(
  keys: { load(): Promise<void> },
  logger: Logger,
): Promise<void> {
  try {
    await keys.load();
  } catch (error) {
    if (error instanceof CarillonError && error.code === "SHUTTING_DOWN") {
      return;
    }
    logger.error("signing_keys_failed", { error });
  }
}
