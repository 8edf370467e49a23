/**
 * Keeps what channels prepared for the messages in work, so that a message is
 * signed once and not once per range. Bounded by the size of the texts.
 */

import type { Message } from "../messages/message.ts";
import type { Channel, PreparedMessage } from "../ports/channel.ts";

type Prepared = PreparedMessage | Promise<PreparedMessage>;

interface Entry {
  readonly weight: number;
  readonly byChannel: Map<Channel, Prepared>;
}

export class PreparedMessages {
  readonly #maxWeight: number;
  #weight = 0;
  /** By {@link keyOf}, least recently added first. */
  readonly #entries = new Map<number | string, Entry>();

  /** `maxWeight`: characters of text kept at most. */
  constructor(maxWeight = 16_000_000) {
    this.#maxWeight = maxWeight;
  }

  /**
   * The message as the channel prepared it; a promise only while it is not
   * ready. A failed preparation is forgotten, so that the next attempt starts anew.
   */
  get(message: Message, channel: Channel): Prepared {
    const entry = this.#entryOf(message);
    const known = entry.byChannel.get(channel);
    if (known !== undefined) return known;
    const prepared = channel.prepare(message);
    entry.byChannel.set(channel, prepared);
    if (prepared instanceof Promise) {
      const isCurrent = () => entry.byChannel.get(channel) === prepared;
      prepared.then(
        (ready) => {
          if (isCurrent()) entry.byChannel.set(channel, ready);
        },
        () => {
          if (isCurrent()) entry.byChannel.delete(channel);
        },
      );
    }
    return prepared;
  }

  /** Nothing more is expected to be sent of the message soon. */
  release(message: Message): void {
    const key = keyOf(message);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }

  /** Prepares the message anew next time. */
  forget(message: Message, channel: Channel): void {
    this.#entries.get(keyOf(message))?.byChannel.delete(channel);
  }

  #entryOf(message: Message): Entry {
    const key = keyOf(message);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = { weight: weightOf(message), byChannel: new Map() };
    this.#entries.set(key, entry);
    this.#weight += entry.weight;
    for (const [other, oldest] of this.#entries) {
      if (this.#weight <= this.#maxWeight || other === key) break;
      this.#entries.delete(other);
      this.#weight -= oldest.weight;
    }
    return entry;
  }
}

/** The message's number; of one to several topics each has its own text. */
function keyOf({ seq, topic, topics }: Message): number | string {
  return topics === undefined ? seq : `${seq}/${topic?.seq}`;
}

/** Characters of text, and something for the objects around them. */
function weightOf(message: Message): number {
  const { content } = message;
  let characters = 2000;
  if (content.kind === "text") characters += content.text.length;
  if (content.kind === "structure") {
    for (const text of Object.values(content.variants)) {
      characters += text.length;
    }
  }
  // The text that is made of HTML takes no more room than that does.
  if (content.kind === "mail") {
    characters += content.text.length + 2 * content.html.length;
  }
  return characters;
}
