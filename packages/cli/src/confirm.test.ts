import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import { confirm } from "./confirm.ts";
import { ask } from "./prompt.ts";

const question = "Delete topic alerts and its 12 subscriptions?";
const ctrlC = "\x03";
const ctrlD = "\x04";

test("goes on after a yes", async () => {
  for (const answer of ["y\r", "Yes\r", " YES \r"]) {
    const { terminal, shown } = terminalThat(answer);
    await confirm(question, {}, terminal);
    assert.ok(shown().includes(`${question} [y/N] `));
  }
});

test("anything else is a no, exit code 1", async () => {
  for (const answer of ["\r", "n\r", "yep\r", ctrlD]) {
    const { terminal } = terminalThat(answer);
    await fails(confirm(question, {}, terminal), 1, "Nothing was changed.");
  }
});

test("Ctrl-C does nothing, exit code 130", async () => {
  const { terminal } = terminalThat(`y${ctrlC}`);
  await fails(
    confirm(question, {}, terminal),
    130,
    "Interrupted; nothing was changed.",
  );
});

test("is not asked with --yes, and refuses without a terminal", async () => {
  const noTerminal = { input: new PassThrough(), output: new PassThrough() };
  await confirm(question, { yes: true }, noTerminal);
  await fails(
    confirm(question, {}, noTerminal),
    2,
    `${question} There is no terminal to ask on: say so with --yes.`,
  );
});

test("what is typed hidden is not shown", async () => {
  const { terminal, shown } = terminalThat("a secret\r");
  const typed = await ask("secret key: ", terminal, { hidden: true });
  assert.equal(typed, "a secret");
  assert.equal(shown(), "secret key: \n");
});

function terminalThat(types: string) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true });
  let shown = "";
  output.on("data", (part: Buffer) => {
    shown += part.toString();
  });
  input.write(types);
  return { terminal: { input, output }, shown: () => shown };
}

async function fails(
  asking: Promise<void>,
  exitCode: number,
  message: string,
): Promise<void> {
  await assert.rejects(asking, (error) => {
    assert.ok(error instanceof CommandFailure);
    assert.deepEqual([error.exitCode, error.message], [exitCode, message]);
    return true;
  });
}
