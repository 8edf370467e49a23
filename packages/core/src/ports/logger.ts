/** Structured logging: a fixed event name and fields, no free text. */

/** Writes log lines: an event's fixed name, and fields that say the rest. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /**
   * Whether debug lines are written, for who writes thousands of them a second.
   * Absent: they may be.
   */
  showsDebug?(): boolean;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

/** Members of a log line, by name. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  showsDebug: () => false,
  child: () => silentLogger,
};
