/** What the log provider needs to know. */

import type { OutgoingMessage } from "../../outgoing-message.ts";

export interface LogProviderLogger {
  /** The line has the number and the text in full. */
  info(line: string, message: OutgoingMessage): void;
}

export interface LogProviderConfig {
  /** Where the lines go; the console by default. */
  readonly logger?: LogProviderLogger;
}
