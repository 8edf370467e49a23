/**
 * The carrier of the sandbox: every number in the world is a simulated phone.
 * The last digits of some force an outcome; see `outcomes.ts`.
 */

import type { NewId } from "@carillon/core";
import {
  IncomingMessage,
  LimitsError,
  MessageDelivered,
  MessageError,
  MessageExpired,
  MessageSendError,
  type MessageStatus,
  type MessageStatusInit,
  type OutgoingMessage,
  Provider,
} from "@carillon/gateway";
import { AttemptCounts } from "./attempt-counts.ts";
import type { NotedMessage } from "./message-owners.ts";
import { findPhoneOutcome, type PhoneOutcome } from "./outcomes.ts";

export interface HandsetPorts {
  /**
   * Ids must be new after a restart too: receipts and repeated texts are told
   * by them.
   */
  readonly newId: NewId;
  /** The message that is being sent, where that is known. */
  currentMessage(): NotedMessage | undefined;
  /** A text arrives at a phone. */
  deliver(number: string, text: string): void;
  /** A phone writes back. */
  answer(number: string, text: string): Promise<void>;
}

export class HandsetProvider extends Provider {
  // No carrier stands behind it.
  override readonly textLimits = null;
  override readonly reachesPhones = false;
  readonly #ports: HandsetPorts;
  readonly #attempts = new AttemptCounts();

  constructor(ports: HandsetPorts) {
    super();
    this.#ports = ports;
  }

  /** The receipt comes before it resolves, as some carriers have it. */
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    const { newId, currentMessage, deliver, answer } = this.#ports;
    const { dst, body } = message;
    const current = currentMessage();
    // Whoever confirms shall see the outcome of what is published.
    const outcome = current?.isNotice ? ordinary : outcomeOf(dst);
    this.#refuse(dst, outcome, current);
    const msgid = newId();
    message.msgid = msgid;
    const { receipt } = outcome;
    if (receipt === undefined || receipt === "delivered") deliver(dst, body);
    if (receipt !== undefined && message.providerOptions.statusReport) {
      await this.receiveStatus(receipts[receipt](msgid));
    }
    if (outcome.answer !== undefined) await answer(dst, outcome.answer);
    return message;
  }

  /** A phone's owner writes to us; `to` is our number, where one is meant. */
  async reply(
    number: string,
    text: string,
    to: string | undefined,
  ): Promise<void> {
    await this.receiveMessage(
      new IncomingMessage(number, text, {
        msgid: this.#ports.newId(),
        ...(to !== undefined && { dst: to }),
        rtime: new Date(this.gateway.now()),
      }),
    );
  }

  /** @throws ProviderError when the text is not taken */
  #refuse(
    number: string,
    { refusal, throttledTimes }: Outcome,
    current: NotedMessage | undefined,
  ): void {
    if (refusal !== undefined) throw new MessageSendError(refusal);
    if (throttledTimes === undefined) return;
    if (this.#attempts.add(number, current?.id) >= throttledTimes) return;
    throw new LimitsError("Too many texts to this number; try again later");
  }
}

type Outcome = Pick<
  PhoneOutcome,
  "refusal" | "throttledTimes" | "receipt" | "answer"
>;

const ordinary: Outcome = { receipt: "delivered" };

function outcomeOf(number: string): Outcome {
  return findPhoneOutcome(number) ?? ordinary;
}

const receipts: Readonly<
  Record<NonNullable<PhoneOutcome["receipt"]>, (msgid: string) => MessageStatus>
> = {
  delivered: (msgid) => new MessageDelivered(msgid, said("OK")),
  undelivered: (msgid) => new MessageError(msgid, said("Undelivered")),
  expired: (msgid) => new MessageExpired(msgid, said("Expired")),
};

function said(status: string): MessageStatusInit {
  return { status };
}
