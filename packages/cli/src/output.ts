/**
 * What commands print: tables for people on a terminal, one JSON object per
 * line for programs. Colours only where they are seen, and not with NO_COLOR.
 */

import { styleText } from "node:util";
import Table from "cli-table3";

/** A style of `util.styleText`. */
export type Style = Parameters<typeof styleText>[0];

/** One column of a table. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  readonly style?: (row: Row) => Style | undefined;
  readonly align?: "left" | "right";
  /** Longer cells are cut in the middle; in characters. */
  readonly max?: number;
  /** Goes on in a further line where the terminal is too narrow. */
  readonly wraps?: boolean;
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
  /** One result: a message for people, or the record as a line of JSON. */
  result(message: string, record: unknown): void;
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
  options: { readonly json?: boolean },
  stream: OutputStream = process.stdout,
): Output {
  const json = options.json ?? !stream.isTTY;
  const line = (text: string) => stream.write(`${text}\n`);
  return {
    json,
    rows(rows, columns, whenNone) {
      if (json) for (const row of rows) line(JSON.stringify(row));
      else if (rows.length === 0) line(whenNone);
      else {
        const colours = hasColours(stream);
        line(formatTable(rows, columns, { colours, width: stream.columns }));
      }
    },
    result(message, record) {
      line(json ? JSON.stringify(record) : message);
    },
  };
}

/** Lays rows out under their heads. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: { readonly colours: boolean; readonly width?: number | undefined },
): string {
  const { colours, width = Number.POSITIVE_INFINITY } = options;
  const cells = rows.map((row) =>
    columns.map(({ cell, max }) => shorten(printable(cell(row)), max)),
  );
  const table = new Table({
    head: columns.map(({ head }) => paint("bold", head, colours)),
    colAligns: columns.map(({ align }) => align ?? "left"),
    colWidths: columnWidths(columns, cells, width),
    wordWrap: true,
    style: { head: [], border: [], "padding-left": 0 },
    chars: bareFrame,
  });
  for (const [at, row] of rows.entries()) {
    table.push(
      columns.map(({ style }, column) => {
        const text = cells[at]?.[column] ?? "";
        const chosen = style?.(row);
        return chosen ? paint(chosen, text, colours) : text;
      }),
    );
  }
  return table.toString().replace(/ +$/gm, "");
}

/** As wide as their cells; what wraps shares what is left of the width. */
function columnWidths(
  columns: readonly Column<never>[],
  cells: readonly (readonly string[])[],
  width: number,
): (number | null)[] {
  const natural = columns.map(({ head }, at) =>
    Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  // One for the space behind the text, one for the gap between columns.
  const total = natural.reduce((sum, one) => sum + one + 2, 0);
  if (total <= width) return columns.map(() => null);
  const wrapping = natural.filter((_, at) => columns[at]?.wraps);
  const wrappingTotal = wrapping.reduce((sum, one) => sum + one, 0);
  const left = width - (total - wrappingTotal);
  return natural.map((one, at) =>
    columns[at]?.wraps
      ? Math.max(16, Math.floor((left * one) / wrappingTotal)) + 1
      : null,
  );
}

/** Whether the stream shows colours: a terminal, and nobody said no. */
export function hasColours(stream: OutputStream): boolean {
  return Boolean(stream.isTTY) && !process.env.NO_COLOR;
}

/** The text in that style, or as it is without colours. */
export function paint(style: Style, text: string, colours: boolean): string {
  return colours ? styleText(style, text, { validateStream: false }) : text;
}

/** Heads, one rule, rows: nothing that hinders copying from the terminal. */
const bareFrame = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: " ",
};

/**
 * Text from elsewhere (a receiver's answer, a display name) cannot move the
 * cursor or colour the terminal.
 */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}

function shorten(text: string, max: number | undefined): string {
  if (max === undefined || text.length <= max) return text;
  const tail = Math.floor((max - 1) / 2);
  return `${text.slice(0, max - 1 - tail)}…${text.slice(text.length - tail)}`;
}
