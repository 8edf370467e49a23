import assert from "node:assert/strict";
import { test } from "node:test";
import { type Command, CommanderError } from "commander";
import { createProgram } from "./program.ts";

for (const [words, sentence] of [
  [
    ["jobs", "resume", "x"],
    "Unknown command 'resume': carillon jobs has list, show and cancel.\n",
  ],
  [
    ["topic", "lst"],
    "Unknown command 'lst': carillon topic has create, list, show, update and delete; did you mean list?\n",
  ],
  [
    ["deliveries", "explain", "0198c2f4"],
    "Unknown command 'explain': carillon deliveries has show, resend, cancel and settle; without one it is show, which takes 1 word, and got 2.\n",
  ],
  [
    ["deliveries", "show", "0198c2f4", "x"],
    "Too many words after carillon deliveries show: expected 1, got 2.\n",
  ],
  [
    ["events", "x"],
    "Too many words after carillon events: expected 0, got 1.\n",
  ],
  [
    ["nosuch"],
    "Unknown command 'nosuch': carillon --help lists those there are.\n",
  ],
  [
    ["deliveries", "cancel", "all", "--state", "failed"],
    "'failed' is no value of --state <state...>: expected one of waiting, retrying.\n",
  ],
] as const) {
  test(`carillon ${words.join(" ")}`, async () => {
    assert.equal(await refusalOf(words), sentence);
  });
}

/** What the program says of words that it does not take. */
async function refusalOf(words: readonly string[]): Promise<string> {
  const program = await createProgram("all");
  let written = "";
  const capture = (command: Command) => {
    command.configureOutput({
      writeErr: (text) => {
        written += text;
      },
    });
    command.commands.forEach(capture);
  };
  capture(program);
  await assert.rejects(
    program.parseAsync([...words], { from: "user" }),
    CommanderError,
  );
  return written;
}
