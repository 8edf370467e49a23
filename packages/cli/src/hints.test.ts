/** What sentences of the command line name as a command is one. */

import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "./program.ts";

const folder = import.meta.dirname;

/** Of nouns that come in by a variable; each has these commands. */
const nouns = [
  "user",
  "project",
  "domain",
  "key",
  "subscription",
  "subscriber",
  "publisher",
  "topic-templates",
  "templates",
  "certificate",
  "kms",
  "inbound",
  "emails suppressions",
  "opt-outs",
  "jobs",
  "messages",
  "providers",
  "sandbox mail",
  "sms",
  "emails",
];

test("commands that sentences name are there", async () => {
  const program = await createProgram("all");
  const wrong: string[] = [];
  let count = 0;
  for await (const file of glob("**/*.ts", { cwd: folder })) {
    if (file.endsWith(".test.ts") || file === "completion.ts") continue;
    const code = await readFile(join(folder, file), "utf8");
    for (const words of commandsIn(code)) {
      count++;
      const why = refusal(program, words);
      if (why) wrong.push(`${file}: carillon ${words.join(" ")}: ${why}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 150, String(count));
});

test("every noun that is looked up has a list, or names what shows it", async () => {
  const program = await createProgram("all");
  for await (const file of glob("**/*.ts", { cwd: folder })) {
    if (file.endsWith(".test.ts")) continue;
    const code = await readFile(join(folder, file), "utf8");
    const namings = code.matchAll(/noun: "([a-z -]+)",?([^}]*)/g);
    for (const [, noun = "", rest = ""] of namings) {
      // Of the sandbox: parts of a sentence.
      if (file === "commands/sandbox.ts" || rest.includes("listedBy")) continue;
      assert.ok(nouns.includes(noun), `${file}: ${noun}`);
    }
  }
  for (const noun of nouns) {
    assert.equal(refusal(program, [...noun.split(" "), "list"]), undefined);
  }
});

test("a command that is not there is found", async () => {
  const program = await createProgram("all");
  for (const [sentence, expected] of [
    ["carillon deliveries list shows those there are.", /no command list/],
    ["see carillon topics list.", /no command topics/],
    ["carillon subscription signature revoke <id>", /no command revoke/],
    ["carillon deliveries $\\{id} --failled shows", /no option --failled/],
  ] as const) {
    const [words = []] = commandsIn(`"${sentence}"`);
    assert.match(String(refusal(program, words)), expected);
  }
});

/** `carillon …` within texts of the code, up to the end of a clause. */
function* commandsIn(code: string): Generator<string[]> {
  // Imports and comments name no commands that people read.
  const texts = code.replace(/^\s*(\*|\/\/|\/\*\*).*$|from ".*"/gm, "");
  // A line of a text may go on in the next one.
  const joined = texts.replace(/\n\s*/g, " ");
  for (const [, rest = ""] of joined.matchAll(
    /(?<![\w/@.-])carillon ((?:[^\s"'`.,;:?()!|]|\$\{[^}]*\}|\.(?=\w))+(?: (?:[^\s"'`.,;:?()!|]|\$\{[^}]*\}|\.(?=\w))+)*)/g,
  )) {
    const words = rest.split(" ");
    // The rest is no command line: `carillon <kind> list`, `const { carillon }`.
    if (/^[a-z][a-z-]*$/.test(words[0] ?? "")) yield words;
  }
}

/**
 * Why words begin with no command, or have options that it has not. Behind the
 * command there may be anything: arguments, or how the sentence goes on.
 */
function refusal(
  program: Command,
  words: readonly string[],
): string | undefined {
  const isPlain = (word: string) => /^[a-z][a-z-]*$/.test(word);
  const plain = words.findIndex((word) => !isPlain(word));
  let command = program;
  for (const word of plain < 0 ? words : words.slice(0, plain)) {
    if (command.commands.length === 0 || takesName(command)) break;
    const inner = command.commands.find((one) => one.name() === word);
    if (inner === undefined) return `no command ${word}`;
    command = inner;
  }
  const options = [command, ...command.commands].flatMap((one) => one.options);
  const unknown = words.find(
    (word) =>
      word.startsWith("--") &&
      word !== "--help" &&
      !options.some(({ long }) => long === word),
  );
  return unknown && `no option ${unknown}`;
}

/** `sandbox webhooks hook`: the command may be left out before a name. */
function takesName(command: Command): boolean {
  return ["webhooks", "phone", "pull"].includes(command.name());
}
