/** Simulated phones: each number that is sent a text has one. */

import type { Clock, EpochMs, NewId, ProjectId } from "@carillon/core";
import { RingBuffer } from "./ring-buffer.ts";

export interface PhoneMessage {
  readonly id: string;
  readonly at: EpochMs;
  /** As the phone sees it. */
  readonly direction: "received" | "sent";
  /** Digits only. */
  readonly number: string;
  readonly text: string;
  /** Whose text it is; for a reply, who had the phone write it. */
  readonly projectId?: ProjectId | undefined;
  readonly bytes: number;
}

/** All by default. */
export interface PhoneFilter {
  readonly number?: string;
  readonly isSeen?: (message: PhoneMessage) => boolean;
}

export interface Phones {
  /** A text arrives at the phone. */
  deliver(number: string, text: string, projectId?: ProjectId): PhoneMessage;
  /** The phone's owner writes to us, to one of our numbers if it is named. */
  reply(
    number: string,
    text: string,
    to?: string,
    projectId?: ProjectId,
  ): Promise<PhoneMessage>;
  /** Oldest first. */
  list(filter?: PhoneFilter): readonly PhoneMessage[];
  clear(filter?: PhoneFilter): void;
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
    projectId: ProjectId | undefined,
  ): PhoneMessage {
    const message: PhoneMessage = {
      id: newId(),
      at: clock.now(),
      direction,
      number: digitsOf(number),
      text,
      projectId,
      bytes: Buffer.byteLength(text) + 256,
    };
    messages.add(message);
    return message;
  }

  return {
    deliver: (number, text, projectId) =>
      add("received", number, text, projectId),
    async reply(number, text, to, projectId) {
      const message = add("sent", number, text, projectId);
      await onReply(message.number, text, to);
      return message;
    },
    list: (filter = {}) => messages.items.filter(toTest(filter)),
    clear: (filter = {}) => messages.clear(toTest(filter)),
  };
}

function toTest({ number, isSeen = () => true }: PhoneFilter) {
  const digits = number === undefined ? undefined : digitsOf(number);
  return (message: PhoneMessage) =>
    (digits === undefined || message.number === digits) && isSeen(message);
}

function digitsOf(number: string): string {
  return number.replace(/\D/g, "");
}
