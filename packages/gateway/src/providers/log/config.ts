/** What the log provider needs to know. */

import type { OutgoingMessage } from "../../outgoing-message.ts";

/** The one method of a logger that the log provider calls. */
export interface LogProviderLogger {
  /** The line has the number and the text in full. */
  info(line: string, message: OutgoingMessage): void;
}

/** Where the log provider writes. */
export interface LogProviderConfig {
  /** Where the lines go; the console by default. */
  readonly logger?: LogProviderLogger;
}
