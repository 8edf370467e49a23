/**
 * Lays rows out for people. A table that is too wide for the terminal is made
 * narrower by one rule: columns that wrap share what is left, down to
 * {@link minWrapped}; then those that may be cut are cut in their middle, down
 * to {@link minCut}. If that is not enough, each row is a block of
 * `head: value` lines. What is neither cut nor wrapped (names, ids) is whole in
 * every layout, for it is copied from there.
 */

import { styleText } from "node:util";
import Table from "cli-table3";
import stringWidth from "string-width";
import { printable } from "./printable.ts";
import { wrapWords } from "./sentence.ts";

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
  /** Cells are ids, of which tables show the shortest unique start. */
  readonly isId?: boolean;
}

/** What a table is laid out for. */
export interface Layout {
  readonly colours: boolean;
  /** In characters; absent: as wide as its cells. */
  readonly width?: number | undefined;
}

/** The least width of a column that wraps. */
const minWrapped = 16;

/** The least width of a column that is cut. */
const minCut = 14;

/** The shortest start of an id that commands take for it. */
export const minIdLength = 8;

/** One for the space behind the text, one for the gap between columns. */
const gap = 2;

/** Lays rows out under their heads. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { colours, width = Number.POSITIVE_INFINITY }: Layout,
): string {
  const cells = shownCells(rows, columns);
  const widths = columnWidths(columns, cells, width);
  if (widths === undefined) {
    return rows
      .map((row, at) =>
        formatBlock(row, columns, cells[at] ?? [], { colours, width }),
      )
      .join("\n\n");
  }
  const table = new Table({
    head: columns.map(({ head }) => paint("bold", head, colours)),
    colAligns: columns.map(({ align }) => align ?? "left"),
    colWidths: widths.map((one) => one + 1),
    wordWrap: true,
    style: { head: [], border: [], "padding-left": 0 },
    chars: bareFrame,
  });
  for (const [at, row] of rows.entries()) {
    table.push(
      columns.map(({ style, max }, column) => {
        const text = cells[at]?.[column] ?? "";
        const shown = max === undefined ? text : shorten(text, widths[column]);
        const chosen = style?.(row);
        return chosen ? paint(chosen, shown, colours) : shown;
      }),
    );
  }
  return table.toString().replace(/ +$/gm, "");
}

/** All fields of one row, a line each, whole. */
export function formatFields<Row>(
  row: Row,
  columns: readonly Column<Row>[],
  layout: Layout,
): string {
  const cells = columns.map(({ cell }) => printable(cell(row)));
  const whole = columns.map(({ max: _, ...column }) => column);
  return formatBlock(row, whole, cells, layout);
}

/** The text in that style, or as it is without colours. */
export function paint(style: Style, text: string, colours: boolean): string {
  return colours ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * The shortest start of each id, of at least {@link minIdLength} characters,
 * that none of the others has.
 */
export function shortIds(ids: readonly string[]): string[] {
  const sorted = [...new Set(ids)].sort();
  const lengths = new Map(
    sorted.map((id, at) => {
      const shared = Math.max(
        sharedLength(id, sorted[at - 1]),
        sharedLength(id, sorted[at + 1]),
      );
      return [id, Math.max(minIdLength, shared + 1)];
    }),
  );
  return ids.map((id) => id.slice(0, lengths.get(id)));
}

/** A moment as tables show it: to the second, in UTC. */
export function shortTime(iso: string | undefined): string {
  if (iso === undefined) return "";
  const [, day, time] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(iso) ?? [];
  return day === undefined ? iso : `${day} ${time}Z`;
}

function sharedLength(one: string, other = ""): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}

function shownCells<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): string[][] {
  const byColumn = columns.map(({ cell, max, isId }) => {
    const texts = rows.map((row) => printable(cell(row)));
    return isId ? shortIds(texts) : texts.map((text) => shorten(text, max));
  });
  return rows.map((_, at) => byColumn.map((texts) => texts[at] ?? ""));
}

/** Widths of the texts; `undefined` when they do not fit. */
function columnWidths(
  columns: readonly Column<never>[],
  cells: readonly (readonly string[])[],
  width: number,
): number[] | undefined {
  const natural = columns.map(({ head }, at) =>
    Math.max(head.length, ...cells.map((row) => stringWidth(row[at] ?? ""))),
  );
  const room = width - gap * columns.length + 1;
  const wrapped = shrink(natural, room, (at) =>
    columns[at]?.wraps ? minWrapped : undefined,
  );
  const fitting = shrink(wrapped, room, (at) => {
    const { max, head = "" } = columns[at] ?? {};
    return max === undefined ? undefined : Math.max(minCut, head.length);
  });
  return sum(fitting) <= room ? fitting : undefined;
}

/** Takes from those that have a least width, in proportion to what they have. */
function shrink(
  widths: readonly number[],
  room: number,
  least: (at: number) => number | undefined,
): number[] {
  const excess = sum(widths) - room;
  if (excess <= 0 || excess === Number.NEGATIVE_INFINITY) return [...widths];
  const spare = widths.map((one, at) => Math.max(0, one - (least(at) ?? one)));
  const all = sum(spare);
  if (all === 0) return [...widths];
  const taken = Math.min(excess, all);
  return widths.map(
    (one, at) => one - Math.ceil(((spare[at] ?? 0) * taken) / all),
  );
}

/** `head: value` lines of what is given; what wraps goes on below itself. */
function formatBlock<Row>(
  row: Row,
  columns: readonly Column<Row>[],
  cells: readonly string[],
  { colours, width = Number.POSITIVE_INFINITY }: Layout,
): string {
  const lines = columns.flatMap(({ head, style, max, wraps }, at) => {
    const text = cells[at] ?? "";
    if (text === "") return [];
    const besideHead = head === "" ? 0 : head.length + 2;
    const longest = Math.max(
      ...text.split(" ").map((word) => stringWidth(word)),
    );
    // Long words have more room below the head.
    const isBelow = wraps === true && besideHead + longest > width;
    const indent = isBelow ? 2 : besideHead;
    const room = Math.max(1, width - indent);
    const chosen = style?.(row);
    const parts = wraps
      ? [...(isBelow ? [""] : []), ...wrapWords(text, room)]
      : [max === undefined ? text : shorten(text, Math.max(minCut, room))];
    return parts.map((part, index) => {
      const start =
        index > 0
          ? " ".repeat(indent)
          : head === ""
            ? ""
            : `${paint("bold", `${head}:`, colours)} `;
      return start + (chosen ? paint(chosen, part, colours) : part);
    });
  });
  return lines.map((line) => line.trimEnd()).join("\n");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
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

function shorten(text: string, max: number | undefined): string {
  if (max === undefined || text.length <= max) return text;
  const tail = Math.floor((max - 1) / 2);
  return `${text.slice(0, max - 1 - tail)}…${text.slice(text.length - tail)}`;
}
