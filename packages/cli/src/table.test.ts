import assert from "node:assert/strict";
import { test } from "node:test";
import { type Column, formatTable, shortIds, shortTime } from "./table.ts";

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

test("cuts long cells in the middle and disarms control characters", () => {
  // Escape, right-to-left override, line separator.
  const odd = `a${String.fromCharCode(27, 0x202e, 0x2028)}[2Jb`;
  const text = formatTable(
    [
      { name: "abcdefghijklmnop", count: 1 },
      { name: odd, count: 2 },
    ],
    columns,
    { colours: false },
  );
  assert.match(text, /abcd…mnop +1/);
  assert.match(text, /a \[2Jb/);
});

test("wide characters take the columns that a terminal gives them", () => {
  const name = "王小明王小明";
  const rows = [{ name, count: 1 }];
  const head: readonly Column<Row>[] = [
    { head: "name", cell: (row) => row.name },
    { head: "count", cell: ({ count }) => String(count) },
  ];
  const text = formatTable(rows, head, { colours: false, width: 30 });
  assert.match(text, /王小明王小明 +1/);
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

interface Entry {
  readonly name: string;
  readonly endpoint: string;
  readonly id: string;
  readonly error: string;
}

const entries: readonly Entry[] = [
  {
    name: "a-topic-with-a-name",
    endpoint: `https://hooks.example.com/services/${"x".repeat(60)}/end`,
    id: "0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
    error: "the receiver answered 503 and said that it is busy",
  },
  {
    name: "news",
    endpoint: "me@example.com",
    id: "0198c2f4a1b27c3e8e4f5a6b7c8d9e0f",
    error: "",
  },
];

const entryColumns: readonly Column<Entry>[] = [
  { head: "name", cell: ({ name }) => name },
  { head: "endpoint", cell: ({ endpoint }) => endpoint, max: 60 },
  { head: "id", cell: ({ id }) => id, isId: true },
  { head: "error", cell: ({ error }) => error, wraps: true },
];

for (const width of [100, 80, 72, 60, 40, 30]) {
  test(`fits ${width} columns with names and ids whole`, () => {
    const text = formatTable(entries, entryColumns, { colours: false, width });
    for (const line of text.split("\n")) {
      assert.ok(line.length <= width, `${line.length}: ${line}`);
    }
    for (const whole of [
      "a-topic-with-a-name",
      "0198c2f4a1b27c3d",
      "0198c2f4a1b27c3e",
      "/end",
    ]) {
      assert.ok(text.includes(whole), text);
    }
    assert.ok(!text.includes("0198c2f4a1b27c3d8"), text);
  });
}

test("is a block per row where a table does not fit", () => {
  const text = formatTable(entries, entryColumns, {
    colours: false,
    width: 40,
  });
  assert.equal(
    text,
    `name: a-topic-with-a-name
endpoint: https://hooks.e…xxxxxxxxxx/end
id: 0198c2f4a1b27c3d
error: the receiver answered 503 and
       said that it is busy

name: news
endpoint: me@example.com
id: 0198c2f4a1b27c3e`,
  );
});

test("ids are as short as is unique, from eight characters on", () => {
  assert.deepEqual(
    shortIds(["aaaaaaaaaaaa1", "bbbbbbbbbbbbb", "aaaaaaaaaaab2", "short", ""]),
    ["aaaaaaaaaaaa", "bbbbbbbb", "aaaaaaaaaaab", "short", ""],
  );
});

test("moments are shown to the second", () => {
  assert.equal(shortTime("2026-01-15T08:30:00.123Z"), "2026-01-15 08:30:00Z");
  assert.equal(shortTime("2026-01-15T08:30:00Z"), "2026-01-15 08:30:00Z");
  assert.equal(shortTime("soon"), "soon");
});
