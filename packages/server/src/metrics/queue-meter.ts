/** Counts what happens to messages in mailboxes, for `/metrics`. */

import { type QueueEvent, queueEvents } from "@carillon/core";

export class QueueMeter {
  readonly #counts = new Map<QueueEvent, number>(
    queueEvents.map((event) => [event, 0]),
  );

  note(event: QueueEvent, messages: number): void {
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + messages);
  }

  /** Since the start, in the order of the events. */
  counts(): readonly { readonly event: QueueEvent; readonly count: number }[] {
    return [...this.#counts].map(([event, count]) => ({ event, count }));
  }
}
