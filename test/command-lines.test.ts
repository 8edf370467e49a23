/** The command lines of the docs are ones that the program takes. */

import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Command, CommanderError } from "commander";
import { createProgram } from "../packages/cli/src/program.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test("command lines in the docs are taken as they stand", async () => {
  const program = await parser();
  let count = 0;
  for await (const page of glob(
    ["*.md", "deploy/**/*.md", "docs/**/*.md", "packages/*/README.md"],
    { cwd: root, exclude: ["**/node_modules"] },
  )) {
    const content = await readFile(join(root, page), "utf8");
    const blocks = content.matchAll(/^```(?:text|sh|bash)\n([\s\S]*?)^```$/gm);
    for (const [, block = ""] of blocks) {
      for (const line of commandLines(block)) {
        count++;
        assert.equal(refusal(program, line), undefined, `${page}: ${line}`);
      }
    }
  }
  assert.ok(count >= 100, String(count));
});

/** All commands, which do nothing but parse what they are given. */
async function parser(): Promise<Command> {
  const program = await createProgram("all");
  const silence = (command: Command) => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    const { commands, registeredArguments } = command;
    const isGroup = commands.length > 0 && registeredArguments.length === 0;
    if (!isGroup) command.action(() => {});
    for (const inner of command.commands) silence(inner);
  };
  silence(program);
  return program;
}

/** Why the program does not take the line; `undefined` when it does. */
function refusal(program: Command, line: string): string | undefined {
  const words = [...line.matchAll(/'[^']*'|"[^"]*"|[^\s'"]+/g)].map(([word]) =>
    word
      .replace(/^(['"])(.*)\1$/s, "$2")
      // Files of examples are not there.
      .replace(/^@\S+\.json$/, "{}"),
  );
  try {
    program.parse(words.slice(1), { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : error.message;
  }
}

/** Lines of a shell that begin with `carillon`, and those within them. */
function* commandLines(block: string): Generator<string> {
  const lines = block.replace(/\\\n\s*/g, " ").split("\n");
  for (const line of lines) {
    const inner: string[] = [];
    const outer = line.replace(/\$\(([^()]*)\)/g, (_, found: string) => {
      inner.push(found);
      return "x";
    });
    for (const part of [outer, ...inner]) {
      const [, command] =
        /^(?:\s*\$ )?(?:npx )?(carillon (?:'[^']*'|"[^"]*"|[^|<>&;#'"])+)/.exec(
          part,
        ) ?? [];
      // `carillon topic [options] [command]` is a synopsis, and a shell's
      // variable may stand for a command.
      const isLine = !/\[(options|command)|^carillon \S+ \$/.test(
        command ?? "",
      );
      if (command !== undefined && isLine) yield command;
    }
  }
}
