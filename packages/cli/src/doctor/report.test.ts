import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "./check.ts";
import { formatFindings } from "./report.ts";

const findings: readonly Finding[] = [
  { check: "Node.js", result: "ok", found: "24.21.0" },
  {
    check: "links",
    result: "warning",
    found: "they lead to this machine, and open on no other",
    advice: "Set publicUrl to the address under which people reach it.",
  },
];

test("text stands beside the check, and wraps under itself", () => {
  assert.equal(
    formatFindings(findings, { columns: 50 }),
    `✓ Node.js  24.21.0
! links    they lead to this machine, and open on
           no other
           → Set publicUrl to the address under
           which people reach it.`,
  );
});

test("a narrow terminal has the text below the check", () => {
  assert.equal(
    formatFindings(findings, { columns: 30 }),
    `✓ Node.js
  24.21.0
! links
  they lead to this machine,
  and open on no other
  → Set publicUrl to the
  address under which people
  reach it.`,
  );
});

test("no line is wider than the terminal, and a path stays whole", () => {
  const path = `/${"x".repeat(60)}`;
  for (let columns = 30; columns <= 120; columns++) {
    const lines = formatFindings(findings, { columns }).split("\n");
    for (const line of lines) assert.ok(line.length <= columns, line);
  }
  const long: Finding = { check: "a", result: "ok", found: `in ${path}` };
  assert.ok(formatFindings([long], { columns: 40 }).includes(path));
});
