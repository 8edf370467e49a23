import assert from "node:assert/strict";
import { test } from "node:test";
import { type Column, createOutput, formatTable } from "./output.ts";

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

test("--json wins over the terminal", () => {
  const stream = collector(true);
  createOutput({ json: true }, stream).result("Done.", { done: true });
  assert.equal(stream.text(), '{"done":true}\n');
});

test("colours only when asked to", () => {
  const styled: readonly Column<Row>[] = [
    { head: "name", cell: ({ name }) => name, style: () => "red" },
  ];
  const escapeCode = String.fromCharCode(27);
  assert.ok(
    !formatTable(rows, styled, { colours: false }).includes(escapeCode),
  );
  assert.ok(
    formatTable(rows, styled, { colours: true }).includes(
      `${escapeCode}[31malerts`,
    ),
  );
});

test("NO_COLOR keeps the terminal plain", (t) => {
  const before = process.env.NO_COLOR;
  process.env.NO_COLOR = "1";
  t.after(() => {
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });
  const stream = collector(true);
  createOutput({}, stream).rows(rows, columns, "none");
  assert.ok(!stream.text().includes(String.fromCharCode(27)));
});

test("cuts long cells in the middle and disarms control characters", () => {
  const odd = `a${String.fromCharCode(27)}[2Jb`;
  const text = formatTable(
    [
      { name: "abcdefghijklmnop", count: 1 },
      { name: odd, count: 2 },
    ],
    columns,
    { colours: false },
  );
  assert.match(text, /abcd…mnop +1/);
  assert.ok(!text.includes(String.fromCharCode(27)));
});

test("long text goes on in a further line where it must", () => {
  const sentence = "one two three four five six seven eight nine ten";
  const wrapping: readonly Column<Row>[] = [
    { head: "count", cell: ({ count }) => String(count) },
    { head: "text", cell: () => sentence, wraps: true },
  ];
  const one = [{ name: "", count: 1 }];
  const text = formatTable(one, wrapping, { colours: false, width: 40 });
  assert.ok(
    text.split("\n").every((line) => line.length <= 40),
    text,
  );
  assert.equal(text.replace(/\s+/g, " "), `count text 1 ${sentence}`);
  const wide = formatTable(one, wrapping, { colours: false, width: 80 });
  assert.equal(wide.split("\n").length, 2);
});

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
