/**
 * The server's log on stderr, so that stdout stays for results: one JSON
 * object per line, or short lines for people when stderr is a terminal.
 */

import { fstatSync } from "node:fs";
import { type LogFields, type Logger, maskText } from "@carillon/server";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { createFileStream } from "./file-stream.ts";
import { LogOutput } from "./log-output.ts";
import { hasColours, type OutputStream, paint, type Style } from "./output.ts";

/** Least important first; `silent` writes nothing. */
const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

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
  /** Drops less important lines from now on, those of children too. */
  setLevel(level: LogLevel): void;
}

/** Never throws and never waits, whatever becomes of the stream. */
export function createLogger(options: LoggerOptions): ProgramLogger {
  const { stream = openStderr(), now = Date.now } = options;
  const threshold = { level: options.level };
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
        // Which are written is decided here: pino's children keep their level.
        level: "debug",
        base: null,
        messageKey: "event",
        timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: toErrorFields },
      },
      lines,
    ),
    threshold,
  );
  return {
    ...logger,
    droppedLines: () => output.dropped,
    setLevel(level) {
      threshold.level = level;
    },
  };
}

function openStderr(): OutputStream {
  const { fd } = process.stderr;
  return fstatSync(fd).isFile() ? createFileStream(fd) : process.stderr;
}

function toPort(
  log: PinoLogger,
  threshold: { readonly level: LogLevel },
): Logger {
  const isShown = (level: LogLevel) =>
    logLevels.indexOf(level) >= logLevels.indexOf(threshold.level);
  const at =
    (level: Exclude<LogLevel, "silent">) =>
    (event: string, fields: LogFields = {}) => {
      if (isShown(level)) log[level](fields, event);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    showsDebug: () => isShown("debug"),
    child: (fields) => toPort(log.child(fields), threshold),
  };
}

/** So many causes of causes are shown. */
const maxCauses = 5;

/**
 * An error with its causes. Not its other members, which libraries fill with
 * requests, headers and recipients; texts are masked.
 */
function toErrorFields(error: unknown, depth = 0): unknown {
  if (typeof error === "object" && !(error instanceof Error)) return "no error";
  if (!(error instanceof Error)) return maskText(String(error));
  const { message, stack, cause } = error;
  const code = "code" in error ? error.code : undefined;
  return {
    type: error.constructor.name,
    ...((typeof code === "string" || typeof code === "number") && { code }),
    message: maskText(message),
    stack: stack === undefined ? undefined : maskText(stack),
    ...(cause !== undefined &&
      depth < maxCauses && { cause: toErrorFields(cause, depth + 1) }),
  };
}

/** Columns of a terminal that does not say how many it has. */
const usualWidth = 80;

/** Fields of a further line of an event begin here. */
const indent = " ".repeat(9);

/**
 * Makes lines for people out of pino's lines for programs: time, level, event,
 * then the fields, on further lines where the terminal ends.
 */
function formatForPeople(stream: OutputStream): (line: string) => string {
  const colours = hasColours(stream);
  return (line) => {
    // What pino writes is JSON with these three, then the fields.
    const { level, time, event, ...fields } = JSON.parse(line) as Line;
    const clock = new Date(time).toTimeString().slice(0, 8);
    const mark = level.padEnd(5);
    const details =
      event === "request" ? describeRequest(fields) : describeFields(fields);
    const width = stream.columns ?? usualWidth;
    const begin = clock.length + mark.length + event.length + 3;
    const [first = "", ...further] = fill(details, begin, width);
    const head = [
      paint("dim", clock, colours),
      paint(levelStyles[level], mark, colours),
      event,
      paint("dim", first, colours),
    ];
    const rest = further.map((it) => `${indent}${paint("dim", it, colours)}\n`);
    return `${head.join(" ")}\n${rest.join("")}`;
  };
}

/** Lines of words: the first begins in column `begin`, the others indented. */
function fill(
  words: readonly string[],
  begin: number,
  width: number,
): readonly string[] {
  const lines = [""];
  let room = width - begin;
  for (const word of words) {
    const line = lines.at(-1) ?? "";
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || longer.length <= room) lines[lines.length - 1] = longer;
    else {
      lines.push(word);
      room = width - indent.length;
    }
  }
  return lines;
}

function describeFields(fields: LogFields): string[] {
  return Object.entries(fields).map(
    ([name, value]) => `${name}=${formatValue(name, value)}`,
  );
}

/** As access logs have them; the route is for programs. */
function describeRequest({
  method,
  route: _,
  path,
  status,
  durationMs,
  ...rest
}: LogFields): string[] {
  return [
    String(method),
    String(path),
    String(status),
    `${durationMs}ms`,
    ...describeFields(rest),
  ];
}

function formatValue(name: string, value: unknown): string {
  if (typeof value === "string") {
    return /[\s"=]/.test(value) ? JSON.stringify(value) : value;
  }
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
