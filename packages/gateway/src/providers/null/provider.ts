/** Accepts everything and sends nothing. For tests and for switching off. */

import type { OutgoingMessage } from "../../outgoing-message.ts";
import { Provider } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";

/** Takes every message and drops it. */
export class NullProvider extends Provider {
  override readonly textLimits = null;
  override readonly reachesPhones = false;
  #count = 0;

  /** Numbers the messages "1", "2", … and says that they are simulated. */
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.#count += 1;
    message.msgid = String(this.#count);
    message.simulated = true;
    return message;
  }
}

export const nullType = defineProviderType({
  type: "null",
  create: () => new NullProvider(),
});
