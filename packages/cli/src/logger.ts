/**
 * The server's log on stderr, so that stdout stays for results: one JSON
 * object per line, or short lines for people when stderr is a terminal.
 */

import { fstatSync } from "node:fs";
import type { LogFields, Logger } from "@carillon/server";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { createFileStream } from "./file-stream.ts";
import { LogOutput } from "./log-output.ts";
import { hasColours, type OutputStream, paint, type Style } from "./output.ts";

/** Least important first; `silent` writes nothing. */
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** What the log shows, and where. */
export interface LoggerOptions {
  /** Less important lines are dropped. */
  readonly level: LogLevel;
  readonly stream?: OutputStream;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** A logger that knows what it could not write. */
export interface ProgramLogger extends Logger {
  /** Lines dropped since the start: see {@link LogOutput}. */
  droppedLines(): number;
}

/** Never throws and never waits, whatever becomes of the stream. */
export function createLogger(options: LoggerOptions): ProgramLogger {
  const { level, stream = openStderr(), now = Date.now } = options;
  const format = stream.isTTY
    ? formatForPeople(stream)
    : (line: string) => line;
  const output = new LogOutput({
    stream,
    formatNotice: (dropped, reason) => {
      const time = new Date(now()).toISOString();
      const event = "log_dropped";
      const line = { level: "warn", time, dropped, reason, event };
      return format(`${JSON.stringify(line)}\n`);
    },
  });
  const lines: DestinationStream = {
    write: (line) => output.write(format(line)),
  };
  const logger = toPort(
    pino(
      {
        level,
        base: null,
        messageKey: "event",
        timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        // With the causes, each with its stack.
        serializers: { error: pino.stdSerializers.errWithCause },
      },
      lines,
    ),
  );
  return { ...logger, droppedLines: () => output.dropped };
}

function openStderr(): OutputStream {
  const { fd } = process.stderr;
  return fstatSync(fd).isFile() ? createFileStream(fd) : process.stderr;
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

/** Makes lines for people out of pino's lines for programs. */
function formatForPeople(stream: OutputStream): (line: string) => string {
  const colours = hasColours(stream);
  return (line) => {
    // What pino writes is JSON with these three, then the fields.
    const { level, time, event, ...fields } = JSON.parse(line) as Line;
    const details = Object.entries(fields).map(
      ([name, value]) => `${name}=${formatValue(name, value)}`,
    );
    const parts = [
      paint("dim", new Date(time).toTimeString().slice(0, 8), colours),
      paint(levelStyles[level], level.padEnd(5), colours),
      event,
      paint("dim", details.join(" "), colours),
    ];
    return `${parts.join(" ")}\n`;
  };
}

function formatValue(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  return (
    (name === "error" && formatError(value)) || (JSON.stringify(value) ?? "")
  );
}

/** `TypeError: no x (cause: Error EIO: disk)`; stacks are in the JSON form. */
function formatError(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { type, code, message, cause } = value as SerializedError;
  if (message === undefined) return undefined;
  const name = [type, code].filter(Boolean).join(" ");
  const reason = formatError(cause);
  return `${name}: ${message}${reason ? ` (cause: ${reason})` : ""}`;
}

/** What the serializer of errors makes of one; not all of it on each. */
interface SerializedError {
  readonly type?: string;
  readonly code?: string | number;
  readonly message?: string;
  readonly cause?: unknown;
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
