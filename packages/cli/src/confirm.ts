/** Questions before what cannot be undone. */

import type { Command } from "commander";
import { CommandFailure } from "./command-failure.ts";
import { ask, hasTerminal, type Terminal, terminal } from "./prompt.ts";

export interface ConfirmOptions {
  readonly yes?: boolean;
}

/** Adds `--yes` to a command that asks. */
export function addYes(command: Command): Command {
  return command.option("-y, --yes", "do it without asking");
}

/**
 * Resolves when the answer is yes, or was given by `--yes`.
 *
 * @param question such as `Delete topic alerts?`: says what will go
 * @throws CommandFailure exit code 1 when it is no, 2 without a
 * terminal, 130 for Ctrl-C
 */
export async function confirm(
  question: string,
  { yes }: ConfirmOptions,
  asked: Terminal = terminal,
): Promise<void> {
  if (yes) return;
  if (!hasTerminal(asked)) {
    throw new CommandFailure(
      `${question} There is no terminal to ask on: say so with --yes.`,
      2,
    );
  }
  const answer = await ask(`${question} [y/N] `, asked);
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new CommandFailure("Nothing was changed.");
  }
}
