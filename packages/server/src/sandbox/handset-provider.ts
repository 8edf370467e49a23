/** The carrier of the sandbox: every number in the world is a simulated phone. */

import { LoopbackProvider, type OutgoingMessage } from "@carillon/gateway";

export class HandsetProvider extends LoopbackProvider {
  readonly #deliver: (number: string, text: string) => void;

  constructor(deliver: (number: string, text: string) => void) {
    super();
    this.#deliver = deliver;
  }

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    // A number with a subscriber reports its messages delivered.
    this.subscribe(message.dst, ({ dst, body }) => this.#deliver(dst, body));
    try {
      return await super.send(message);
    } finally {
      this.unsubscribe(message.dst);
      // The phones keep what passed; here it would only grow.
      this.takeTraffic();
    }
  }

  /** A phone's owner writes to us. */
  async reply(number: string, text: string): Promise<void> {
    await this.received(number, text);
    this.takeTraffic();
  }
}
