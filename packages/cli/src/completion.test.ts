import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Command } from "commander";
import { type Shell, shells, writeCompletion } from "./completion.ts";
import { createProgram } from "./program.ts";

let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "carillon-completion-"));
  const program = await createProgram("all");
  for (const shell of shells) {
    writeFileSync(join(folder, shell), writeCompletion(shell, program));
  }
  writeFileSync(join(folder, "some-file.json"), "");
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What is typed, the last word unfinished; some of what is offered. */
const cases: readonly (readonly [
  words: readonly string[],
  offered: readonly string[],
  missing?: readonly string[],
])[] = [
  [[""], ["topic", "login", "help"], ["--version", "list"]],
  [["to"], ["topic"], ["user"]],
  [["--"], ["--version", "--help"], ["topic"]],
  [["topic", ""], ["create", "list", "show", "delete"], ["topic"]],
  [["topic", "sh"], ["show"], ["list"]],
  [["topic", "list", "--o"], ["--output"], ["--url"]],
  [["topic", "list", "-o", ""], ["table", "json"], ["list"]],
  [["topic", "list", "--output", "j"], ["json"], ["table"]],
  // An option's value in between does not lead astray.
  [["topic", "list", "--url", "http://x", "-o", "t"], ["table"]],
  [
    ["user", "create", "ann", "--role", ""],
    ["member", "admin", "operator"],
  ],
  [
    ["user", "role", "ann", ""],
    ["member", "admin", "operator"],
  ],
  [["audit", "list", "--action", "login_r"], ["login_refused"], ["login"]],
  [["serve", "--no-s"], ["--no-sandbox"]],
  [["serve", "--config", "some"], ["some-file.json"]],
  [["help", "topic", "l"], ["list"]],
  [["completion", ""], shells],
];

for (const [words, offered, missing = []] of cases) {
  for (const shell of ["bash", "fish"] as const) {
    test(`${shell} completes carillon ${words.join(" ")}`, (t) => {
      if (!has(shell)) {
        t.skip(`${shell} is not installed: its script was not run`);
        return;
      }
      const completed = complete(shell, words);
      for (const word of offered) {
        assert.ok(completed.includes(word), `${word}: ${completed}`);
      }
      for (const word of missing) assert.ok(!completed.includes(word), word);
    });
  }
}

test("zsh reads its script and completes with it", (t) => {
  if (!has("zsh")) {
    t.skip("zsh is not installed: its script was not run");
    return;
  }
  for (const [words, offered] of cases) {
    const completed = complete("zsh", words);
    for (const word of offered) {
      assert.ok(completed.includes(word), `${words} ${word}: ${completed}`);
    }
  }
});

test("each script has each command and each option", async () => {
  const program = await createProgram("all");
  for (const shell of shells) {
    const script = writeCompletion(shell, program);
    for (const [path, command] of commandsBelow(program)) {
      assert.ok(script.includes(path), `${shell}: ${path}`);
      for (const { long, hidden } of command.options) {
        const name = shell === "fish" ? long?.slice(2) : long;
        assert.ok(hidden || script.includes(name ?? ""), `${shell}: ${long}`);
      }
    }
  }
});

function* commandsBelow(
  command: Command,
  path = "carillon",
): Generator<[string, Command]> {
  for (const inner of command.commands) {
    yield [`${path} ${inner.name()}`, inner];
    yield* commandsBelow(inner, `${path} ${inner.name()}`);
  }
}

function has(shell: Shell): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

function complete(shell: Shell, words: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(
    shell,
    ["-c", toProgram(shell, words)],
    { cwd: folder, encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return stdout.split(/\s+/).filter((word) => word !== "");
}

/** Sources the script and prints what it offers. */
function toProgram(shell: Shell, words: readonly string[]): string {
  const script = join(folder, shell);
  const quoted = words.map((word) => `'${word}'`).join(" ");
  switch (shell) {
    case "bash":
      // Outside of a completion there is no compopt.
      return `compopt() { :; }
source '${script}'
COMP_WORDS=(carillon ${quoted}); COMP_CWORD=${words.length}
_carillon
printf '%s\\n' "\${COMPREPLY[@]}"`;
    case "fish":
      return `source '${script}'; complete -C 'carillon ${words.join(" ")}' | string replace -r '\\t.*' ''`;
    case "zsh":
      return `compdef() { :; }; compadd() { shift; print -l -- "$@"; }; _files() { print -l -- *; }
source '${script}'
words=(carillon ${quoted}); CURRENT=${words.length + 1}; _carillon`;
    default:
      return shell satisfies never;
  }
}
