/**
 * The server's log on stderr, so that stdout stays for results: one JSON
 * object per line, or short lines for people when stderr is a terminal.
 */

import type { LogFields, Logger } from "@carillon/server";
import { hasColours, type OutputStream, paint, type Style } from "./output.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  /** Less important lines are dropped. */
  readonly level: LogLevel;
  readonly stream?: OutputStream;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createLogger(options: LoggerOptions): Logger {
  const { level, stream = process.stderr, now = Date.now } = options;
  const format = stream.isTTY
    ? readableLine(hasColours(stream))
    : (entry: Entry) =>
        JSON.stringify({
          time: new Date(entry.at).toISOString(),
          level: entry.level,
          event: entry.event,
          ...plain(entry.fields),
        });
  const least = logLevels.indexOf(level);

  const withFields = (bound: LogFields): Logger => {
    const write =
      (lineLevel: LogLevel) =>
      (event: string, fields: LogFields = {}) => {
        if (logLevels.indexOf(lineLevel) < least) return;
        const entry = {
          at: now(),
          level: lineLevel,
          event,
          fields: { ...bound, ...fields },
        };
        stream.write(`${format(entry)}\n`);
      };
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (fields) => withFields({ ...bound, ...fields }),
    };
  };
  return withFields({});
}

interface Entry {
  readonly at: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

const levelStyles: Readonly<Record<LogLevel, Style>> = {
  debug: "dim",
  info: "cyan",
  warn: "yellow",
  error: "red",
  silent: "dim",
};

function readableLine(colours: boolean): (entry: Entry) => string {
  return ({ at, level, event, fields }) => {
    const time = new Date(at).toTimeString().slice(0, 8);
    const details = Object.entries(plain(fields)).map(
      ([name, value]) =>
        `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    return [
      paint("dim", time, colours),
      paint(levelStyles[level], level.padEnd(5), colours),
      event,
      paint("dim", details.join(" "), colours),
    ].join(" ");
  };
}

/** Errors have no enumerable fields: JSON would show `{}`. */
function plain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? describe(value) : value,
    ]),
  );
}

function describe(error: Error): Record<string, unknown> {
  return {
    message: error.message,
    ...("code" in error && { code: error.code }),
    stack: error.stack,
    ...(error.cause instanceof Error && { cause: describe(error.cause) }),
  };
}
