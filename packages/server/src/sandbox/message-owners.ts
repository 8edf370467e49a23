/**
 * Whose messages come to the sandbox, so that each project is shown its own.
 * Neither a mail nor a text says of which project it is, and nothing is added
 * to what others would get, too; so the channels are watched.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Channel, ProjectId } from "@carillon/core";

export interface MessageOwners {
  /** The channel, watched. */
  watch(channel: Channel): Channel;
  /** The project of a message that was prepared of late. */
  findOwner(messageId: string): ProjectId | undefined;
  /** The project of the message whose delivery called this. */
  currentOwner(): ProjectId | undefined;
}

/** More than are under way at once. */
const maxMessages = 10_000;

export function createMessageOwners(): MessageOwners {
  const current = new AsyncLocalStorage<ProjectId>();
  const byMessage = new Map<string, ProjectId>();

  function note(messageId: string, projectId: ProjectId): void {
    // A map keeps the order of insertion: the oldest one stands in front.
    byMessage.delete(messageId);
    byMessage.set(messageId, projectId);
    if (byMessage.size <= maxMessages) return;
    for (const oldest of byMessage.keys()) {
      byMessage.delete(oldest);
      break;
    }
  }

  return {
    watch: (channel) => ({
      name: channel.name,
      protocols: channel.protocols,
      billable: channel.billable,
      timeoutMs: channel.timeoutMs,
      async prepare(message) {
        const { id, projectId } = message;
        note(id, projectId);
        const prepared = await channel.prepare(message);
        return {
          deliver: (recipient, signals) =>
            current.run(projectId, () => prepared.deliver(recipient, signals)),
        };
      },
      close: () => channel.close(),
    }),
    findOwner: (messageId) => byMessage.get(messageId),
    currentOwner: () => current.getStore(),
  };
}
