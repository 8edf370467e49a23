/** Simulated phones: each number that is sent a text has one. */

import type { Clock, EpochMs, NewId } from "@carillon/core";
import { RingBuffer } from "./ring-buffer.ts";

export interface PhoneMessage {
  readonly id: string;
  readonly at: EpochMs;
  /** As the phone sees it. */
  readonly direction: "received" | "sent";
  /** Digits only. */
  readonly number: string;
  readonly text: string;
  readonly bytes: number;
}

export interface Phones {
  /** A text arrives at the phone. */
  deliver(number: string, text: string): PhoneMessage;
  /** The phone's owner writes to us, to one of our numbers if it is named. */
  reply(number: string, text: string, to?: string): Promise<PhoneMessage>;
  /** Oldest first; all numbers by default. */
  list(number?: string): readonly PhoneMessage[];
  clear(number?: string): void;
}

const maxMessages = 1000;
const maxBytes = 16 * 1024 * 1024;

export function createPhones(ports: {
  readonly clock: Clock;
  readonly newId: NewId;
  /** Carries a phone's reply into the network. */
  readonly onReply: (
    number: string,
    text: string,
    to: string | undefined,
  ) => Promise<void>;
}): Phones {
  const { clock, newId, onReply } = ports;
  const messages = new RingBuffer<PhoneMessage>({
    maxItems: maxMessages,
    maxBytes,
  });

  function add(
    direction: PhoneMessage["direction"],
    number: string,
    text: string,
  ): PhoneMessage {
    const message: PhoneMessage = {
      id: newId(),
      at: clock.now(),
      direction,
      number: digitsOf(number),
      text,
      bytes: Buffer.byteLength(text) + 256,
    };
    messages.add(message);
    return message;
  }

  return {
    deliver: (number, text) => add("received", number, text),
    async reply(number, text, to) {
      const message = add("sent", number, text);
      await onReply(message.number, text, to);
      return message;
    },
    list: (number) =>
      number === undefined
        ? messages.items
        : messages.items.filter((it) => it.number === digitsOf(number)),
    clear: (number) =>
      messages.clear(
        (it) => number === undefined || it.number === digitsOf(number),
      ),
  };
}

function digitsOf(number: string): string {
  return number.replace(/\D/g, "");
}
