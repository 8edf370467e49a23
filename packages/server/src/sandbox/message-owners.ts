/**
 * Whose messages come to the sandbox, so that each project is shown its own.
 * Neither a mail nor a text says of which project it is, and nothing is added
 * to what others would get, too; so the channels are watched.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Channel, Message, ProjectId } from "@carillon/core";

/** What the sandbox notes of a message. */
export interface NotedMessage {
  readonly id: string;
  readonly projectId: ProjectId;
  /** Asks for a confirmation, or says that a subscription has ended. */
  readonly isNotice: boolean;
}

export interface MessageOwners {
  /** The channel, watched. */
  watch(channel: Channel): Channel;
  /** A message that was prepared of late. */
  find(messageId: string): NotedMessage | undefined;
  /** The message whose delivery called this. */
  current(): NotedMessage | undefined;
}

/** More than are under way at once. */
const maxMessages = 10_000;

export function createMessageOwners(): MessageOwners {
  const current = new AsyncLocalStorage<NotedMessage>();
  const byId = new Map<string, NotedMessage>();

  function note({ id, projectId, content: { kind } }: Message): NotedMessage {
    const isNotice = kind === "confirmation" || kind === "unsubscription";
    const noted = { id, projectId, isNotice };
    // A map keeps the order of insertion: the oldest one stands in front.
    byId.delete(id);
    byId.set(id, noted);
    if (byId.size > maxMessages) {
      for (const oldest of byId.keys()) {
        byId.delete(oldest);
        break;
      }
    }
    return noted;
  }

  return {
    watch: (channel) => ({
      name: channel.name,
      protocols: channel.protocols,
      kind: channel.kind,
      timeoutMs: channel.timeoutMs,
      async prepare(message) {
        const noted = note(message);
        const prepared = await channel.prepare(message);
        return {
          deliver: (recipient, signals) =>
            current.run(noted, () => prepared.deliver(recipient, signals)),
        };
      },
      close: () => channel.close(),
    }),
    find: (messageId) => byId.get(messageId),
    current: () => current.getStore(),
  };
}
