import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type Column, createOutput } from "./output.ts";

interface Row {
  readonly name: string;
  readonly count: number;
}

const rows: readonly Row[] = [
  { name: "alerts", count: 3 },
  { name: "news", count: 12 },
];

const columns: readonly Column<Row>[] = [
  { head: "name", cell: ({ name }) => name, max: 9 },
  { head: "count", cell: ({ count }) => String(count), align: "right" },
];

test("prints one JSON object per line where there is no terminal", () => {
  const stream = collector(false);
  const output = createOutput({}, stream);
  output.rows(rows, columns, "none");
  output.result("Done.", { done: true });
  assert.deepEqual(stream.lines(), [
    '{"name":"alerts","count":3}',
    '{"name":"news","count":12}',
    '{"done":true}',
  ]);
});

test("prints nothing for no rows, so that programs read no rows", () => {
  const stream = collector(false);
  createOutput({}, stream).rows([], columns, "none");
  assert.equal(stream.text(), "");
});

test("prints tables and sentences on a terminal", () => {
  const stream = collector(true);
  const output = createOutput({}, stream);
  output.rows(rows, columns, "none");
  output.rows([], columns, "There are none.");
  output.result("Done.", { done: true });
  const text = stream.text();
  assert.match(text, /alerts +3/);
  assert.match(text, /There are none\.\nDone\.\n$/);
});

test("--output wins over the terminal, and over its absence", (t) => {
  const stream = collector(true);
  createOutput({ output: "json" }, stream).result("Done.", { done: true });
  assert.equal(stream.text(), '{"done":true}\n');
  const pipe = collector(false);
  setVariable(t, "COLUMNS", "10");
  createOutput({ output: "table" }, pipe).rows(rows, columns, "none");
  assert.deepEqual(pipe.lines(), [
    "name: alerts",
    "count: 3",
    "",
    "name: news",
    "count: 12",
  ]);
  setVariable(t, "COLUMNS", "");
  const wide = collector(false);
  createOutput({ output: "table" }, wide).rows(rows, columns, "none");
  assert.deepEqual(wide.lines(), [
    "name    count",
    "alerts      3",
    "news       12",
  ]);
});

test("shows all of one record, on a line per field", () => {
  const stream = collector(true);
  const whole = `https://example.com/${"x".repeat(100)}`;
  createOutput({}, { ...stream, columns: 40 }).record(
    { name: whole, count: 1 },
    [...columns, { head: "nothing", cell: () => "" }],
  );
  assert.equal(
    stripVTControlCharacters(stream.text()),
    `name: ${whole}\ncount: 1\n`,
  );
  const pipe = collector(false);
  createOutput({}, pipe).record({ name: whole, count: 1 }, columns);
  assert.equal(pipe.text(), `{"name":"${whole}","count":1}\n`);
});

test("NO_COLOR keeps the terminal plain", (t) => {
  setVariable(t, "NO_COLOR", "1");
  const stream = collector(true);
  createOutput({}, stream).rows(rows, columns, "none");
  assert.ok(!stream.text().includes(String.fromCharCode(27)));
});

function setVariable(
  t: { after(run: () => void): void },
  name: string,
  value: string,
): void {
  const before = process.env[name];
  process.env[name] = value;
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

function collector(isTTY: boolean) {
  const parts: string[] = [];
  const text = () => parts.join("");
  return {
    isTTY,
    write: (part: string) => parts.push(part),
    text,
    lines: () => text().trimEnd().split("\n"),
  };
}
