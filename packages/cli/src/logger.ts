/**
 * The server's log on stderr, so that stdout stays for results: one JSON
 * object per line, or short lines for people when stderr is a terminal.
 */

import type { LogFields, Logger } from "@carillon/server";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
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
  const lines: DestinationStream = stream.isTTY
    ? toReadable(stream)
    : { write: (line) => void stream.write(line) };
  return toPort(
    pino(
      {
        level,
        base: null,
        messageKey: "event",
        timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        // Causes are told, too.
        serializers: { error: pino.stdSerializers.errWithCause },
      },
      lines,
    ),
  );
}

function toPort(log: PinoLogger): Logger {
  const at =
    (level: Exclude<LogLevel, "silent">) =>
    (event: string, fields: LogFields = {}) =>
      log[level](fields, event);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => toPort(log.child(fields)),
  };
}

/** Lines for people out of pino's lines for programs. */
function toReadable(stream: OutputStream): DestinationStream {
  const colours = hasColours(stream);
  return {
    write(line) {
      // What pino writes is JSON with these three, then the fields.
      const { level, time, event, ...fields } = JSON.parse(line) as Line;
      const details = Object.entries(fields).map(
        ([name, value]) =>
          `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
      );
      const parts = [
        paint("dim", new Date(time).toTimeString().slice(0, 8), colours),
        paint(levelStyles[level], level.padEnd(5), colours),
        event,
        paint("dim", details.join(" "), colours),
      ];
      stream.write(`${parts.join(" ")}\n`);
    },
  };
}

interface Line {
  readonly level: LogLevel;
  readonly time: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

const levelStyles: Readonly<Record<LogLevel, Style>> = {
  debug: "dim",
  info: "cyan",
  warn: "yellow",
  error: "red",
  silent: "dim",
};
