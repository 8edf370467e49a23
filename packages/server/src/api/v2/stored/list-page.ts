/** A page of stored messages, also where the store cannot filter alone. */

import type { ProjectId, StoredMessage, StoredMessages } from "@carillon/core";
import type { ListFilter } from "./list-query.ts";

/** Looked at for one page whose filter the store does not know. */
const maxLookedAt = 2000;

/** Read at once of those. */
const chunk = 500;

interface Page {
  readonly messages: readonly StoredMessage[];
  readonly next?: string;
}

/**
 * Newest first. A page with a filter may be shorter than its limit, and have a
 * next one.
 */
export async function listPage(
  messages: Pick<StoredMessages, "list">,
  projectId: ProjectId,
  { filter, hasState }: ListFilter,
  { limit, before }: { readonly limit: number; readonly before?: string },
): Promise<Page> {
  if (!hasState)
    return await messages.list(projectId, filter, { limit, before });
  const found: StoredMessage[] = [];
  let start = before;
  for (let lookedAt = 0; lookedAt < maxLookedAt; lookedAt += chunk) {
    const page = await messages.list(projectId, filter, {
      limit: chunk,
      before: start,
    });
    for (const message of page.messages) {
      if (!hasState(message)) continue;
      found.push(message);
      if (found.length === limit) return { messages: found, next: message.id };
    }
    if (page.next === undefined) return { messages: found };
    start = page.next;
  }
  return { messages: found, ...(start !== undefined && { next: start }) };
}
