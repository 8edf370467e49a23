/**
 * What commands print: tables for people on a terminal, one JSON object per
 * line for programs. Colours only where they are seen, and not with NO_COLOR.
 */

import { writeSentence } from "./sentence.ts";
import {
  type Column,
  formatFields,
  formatTable,
  type Layout,
} from "./table.ts";

export {
  type Column,
  formatTable,
  paint,
  type Style,
} from "./table.ts";

/** The values of `--output`. */
export const outputFormats = ["table", "json"] as const;

export type OutputFormat = (typeof outputFormats)[number];

/** What the command line says about the output. */
export interface OutputOptions {
  /** Absent: tables on a terminal, JSON elsewhere. */
  readonly output?: OutputFormat;
}

/** Prints the results of a command. */
export interface Output {
  /** True when programs read it. */
  readonly json: boolean;
  /** Rows as a table, or each row as it is as a line of JSON. */
  rows<Row>(
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    whenNone: string,
  ): void;
  /** All of one record, nothing cut: a line per field, or a line of JSON. */
  record<Row>(record: Row, fields: readonly Column<Row>[]): void;
  /** One result: a message for people, or the record as a line of JSON. */
  result(message: string, record: unknown): void;
  /** One result in lines that stay as they are, or as a line of JSON. */
  lines(lines: readonly string[], record: unknown): void;
}

/** Where output goes; narrowed for tests. */
export interface OutputStream {
  readonly isTTY?: boolean;
  /** Width of the terminal in characters. */
  readonly columns?: number;
  /** What was written and not yet taken. */
  readonly writableLength?: number;
  /** `done` gets the reason why the text could not be written. */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  on?(event: "error", listener: (error: Error) => void): unknown;
}

/** JSON if asked for, and where the output is no terminal. */
export function createOutput(
  options: OutputOptions,
  stream: OutputStream = process.stdout,
): Output {
  const json = (options.output ?? (stream.isTTY ? "table" : "json")) === "json";
  const line = (text: string) => stream.write(`${text}\n`);
  const layout = layoutFor(stream);
  return {
    json,
    rows(rows, columns, whenNone) {
      if (json) for (const row of rows) line(JSON.stringify(row));
      else if (rows.length === 0) writeSentence(whenNone, stream);
      else line(formatTable(rows, columns, layout));
    },
    record(record, fields) {
      line(
        json ? JSON.stringify(record) : formatFields(record, fields, layout),
      );
    },
    result(message, record) {
      if (json) line(JSON.stringify(record));
      else writeSentence(message, stream);
    },
    lines(lines, record) {
      line(json ? JSON.stringify(record) : lines.join("\n"));
    },
  };
}

/** How tables are laid out on a stream. */
export function layoutFor(stream: OutputStream): Layout {
  return { colours: hasColours(stream), width: widthOf(stream) };
}

/** Whether the stream shows colours: a terminal, and nobody said no. */
export function hasColours(stream: Pick<OutputStream, "isTTY">): boolean {
  return Boolean(stream.isTTY) && !process.env.NO_COLOR;
}

/** The terminal's; elsewhere COLUMNS, or none. */
function widthOf(stream: OutputStream): number | undefined {
  if (stream.isTTY) return stream.columns;
  const columns = Number(process.env.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}
