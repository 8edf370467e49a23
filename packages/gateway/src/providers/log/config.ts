/** What the log provider needs to know. */

export interface LogProviderLogger {
  info(message: string): void;
}

export interface LogProviderConfig {
  /** Where the lines go; the console by default. */
  readonly logger?: LogProviderLogger;
}
