/** The carrier of the sandbox: every number in the world is a simulated phone. */

import type { NewId } from "@carillon/core";
import {
  IncomingMessage,
  MessageDelivered,
  type OutgoingMessage,
  Provider,
} from "@carillon/gateway";

export class HandsetProvider extends Provider {
  // No carrier stands behind it.
  override readonly textLimits = null;
  readonly #newId: NewId;
  readonly #deliver: (number: string, text: string) => void;

  /**
   * Ids must be new after a restart too: receipts and repeated texts are told
   * by them.
   */
  constructor(newId: NewId, deliver: (number: string, text: string) => void) {
    super();
    this.#newId = newId;
    this.#deliver = deliver;
  }

  /** The receipt comes before it resolves, as some carriers have it. */
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    const msgid = this.#newId();
    message.msgid = msgid;
    this.#deliver(message.dst, message.body);
    if (message.providerOptions.statusReport) {
      await this.receiveStatus(new MessageDelivered(msgid, { status: "OK" }));
    }
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
        msgid: this.#newId(),
        ...(to !== undefined && { dst: to }),
        rtime: new Date(this.gateway.now()),
      }),
    );
  }
}
