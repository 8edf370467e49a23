/**
 * Writes messages to a log instead of sending them, for development. The line
 * holds the number and the text in full; a logger that must not show them
 * looks at the message instead.
 */

import type { OutgoingMessage } from "../../outgoing-message.ts";
import { Provider } from "../../provider.ts";
import { defineProviderType } from "../../provider-type.ts";
import type { LogProviderConfig, LogProviderLogger } from "./config.ts";

/** Writes each message as a line, and calls it simulated. */
export class LogProvider extends Provider {
  override readonly textLimits = null;
  override readonly reachesPhones = false;
  readonly #logger: LogProviderLogger;
  #count = 0;

  constructor(config: LogProviderConfig = {}) {
    super();
    this.#logger = config.logger ?? consoleLogger;
  }

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.#count += 1;
    message.msgid = String(this.#count);
    message.simulated = true;
    this.#logger.info(`Sent SMS to ${message.dst}: ${message.body}`, message);
    return message;
  }
}

const consoleLogger: LogProviderLogger = {
  // biome-ignore lint/suspicious/noConsole: where nobody says where to
  info: (line) => console.info(line),
};

export const logType = defineProviderType({
  type: "log",
  create: (_, { logger }) => new LogProvider({ logger }),
});
