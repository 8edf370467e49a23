import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "./program.ts";

const columns = 80;

test("each page of help fits a terminal of 80 columns", async () => {
  const pages = [...pagesOf(await createProgram("all"))];
  assert.ok(pages.length > 40, String(pages.length));
  // As it is printed when no command is loaded.
  pages.push(...pagesOf(await createProgram(undefined)));
  const tooWide = pages.flatMap(([name, page]) =>
    page
      .split("\n")
      .filter((line) => [...line].length > columns)
      .map((line) => `${name}: ${line}`),
  );
  assert.deepEqual(tooWide, []);
});

test("each command that does something has examples", async () => {
  const pages = new Map(pagesOf(await createProgram("all")));
  const names = [...pages.keys()];
  const without = names.filter(
    (name) =>
      !names.some((other) => other.startsWith(`${name} `)) &&
      !new RegExp(`\nExamples?:\n( {2}.*\n)* {2}\\$ .*${name}\\b`).test(
        pages.get(name) ?? "",
      ),
  );
  assert.deepEqual(without, []);
});

function* pagesOf(command: Command, prefix = ""): Generator<[string, string]> {
  const name = `${prefix}${command.name()}`;
  let page = "";
  command.configureOutput({
    writeOut: (part) => {
      page += part;
    },
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  yield [name, page];
  for (const inner of command.commands) yield* pagesOf(inner, `${name} `);
}
