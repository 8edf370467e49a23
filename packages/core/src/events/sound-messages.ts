/**
 * Makes the messages of a part of the feed, whatever one batch in it is like:
 * one whose messages cannot be made is left out and logged, and holds up no
 * other.
 */

import { CarillonError, isPermanent } from "../errors.ts";
import type { ChangeBatch, EventMessage } from "../ports/change-feed.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { Logger } from "../ports/logger.ts";
import {
  type BatchMessages,
  createEventMessages,
  type EventMessagePorts,
} from "./event-messages.ts";
import { countRuns } from "./target-runs.ts";

export interface SoundMessagePorts extends EventMessagePorts {
  readonly logger: Logger;
  readonly seal: Pick<ContentSeal, "seal">;
}

/** Answers the messages of the batches, sealed as others are. */
export function createSoundMessages(
  ports: SoundMessagePorts,
): (batches: readonly ChangeBatch[]) => Promise<BatchMessages[]> {
  const { logger, seal } = ports;
  const toMessages = createEventMessages(ports);

  /** What cannot be sealed is left out, and logged. */
  async function sealed(
    events: readonly EventMessage[],
  ): Promise<EventMessage[]> {
    const all: EventMessage[] = [];
    for (const event of events) {
      // Direct ones belong to no topic whose key it could be.
      if ("recipient" in event) {
        all.push(event);
        continue;
      }
      try {
        all.push({ message: await seal.seal(event.message) });
      } catch (error) {
        if (!(error instanceof CarillonError && error.code === "KEY_UNUSABLE"))
          throw error;
        logger.warn("event_not_published", {
          projectId: event.message.projectId,
          error,
        });
      }
    }
    return all;
  }

  return async function make(batches) {
    try {
      const all: BatchMessages[] = [];
      for (const { position, messages } of await toMessages(batches)) {
        all.push({ position, messages: await sealed(messages) });
      }
      return all;
    } catch (error) {
      if (!isPermanent(error)) throw error;
      const [first] = batches;
      if (batches.length === 1 && first) {
        const { position } = first;
        logger.error("change_unreadable", { position, error });
        return [{ position, messages: [] }];
      }
    }
    const all: BatchMessages[] = [];
    for (const batch of batches) all.push(...(await make([batch])));
    return all;
  };
}

/**
 * Cuts batches into parts of at most `maxEvents` deliveries and occurrences; a
 * batch that has more is a part of its own.
 */
export function cutByEvents(
  batches: readonly ChangeBatch[],
  maxEvents: number,
): ChangeBatch[][] {
  const parts: ChangeBatch[][] = [];
  let last: ChangeBatch[] = [];
  let count = 0;
  for (const batch of batches) {
    let events = 0;
    for (const change of batch.changes) {
      events += change.kind === "deliveries" ? countRuns(change.runs) : 1;
    }
    if (parts.length === 0 || count + events > maxEvents) {
      last = [];
      parts.push(last);
      count = 0;
    }
    last.push(batch);
    count += events;
  }
  return parts;
}
