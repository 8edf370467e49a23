import assert from "node:assert/strict";
import { test } from "node:test";
import { createLiveTable } from "./live-table.ts";

function setUp(rows: number) {
  const written: string[] = [];
  const clock = { now: 0 };
  const terminal = {
    isTTY: true,
    rows,
    write: (text: string) => written.push(text),
  };
  const table = createLiveTable(terminal, () => clock.now);
  return { table, clock, written };
}

const escapeCode = String.fromCharCode(27);

test("draws in the place of what it drew before", () => {
  const { table, clock, written } = setUp(24);
  table.draw(["a", "b"]);
  clock.now = 1000;
  table.draw(["c"]);
  clock.now = 2000;
  table.draw(["d", "e"]);
  assert.deepEqual(written, [
    `${escapeCode}[Ja\nb\n`,
    `${escapeCode}[2A${escapeCode}[Jc\n`,
    `${escapeCode}[1A${escapeCode}[Jd\ne\n`,
  ]);
});

test("draws four times a second at most, and the last time always", () => {
  const { table, clock, written } = setUp(24);
  for (; clock.now < 10_000; clock.now += 10) table.draw([`${clock.now}`]);
  assert.equal(written.length, 40);
  table.draw(["end"], { last: true });
  assert.match(written.at(-1) ?? "", /end\n$/);
});

test("draws nothing that is there already", () => {
  const { table, clock, written } = setUp(24);
  for (; clock.now < 2000; clock.now += 500) table.draw(["same"]);
  assert.equal(written.length, 1);
});

test("leaves out what is beyond the terminal's height", () => {
  const { table, clock, written } = setUp(5);
  const lines = ["1", "2", "3", "4", "5", "6"];
  table.draw(lines);
  clock.now = 1000;
  table.draw(["x"]);
  assert.deepEqual(written, [
    `${escapeCode}[J1\n2\n3\n4\n`,
    `${escapeCode}[4A${escapeCode}[Jx\n`,
  ]);
});
