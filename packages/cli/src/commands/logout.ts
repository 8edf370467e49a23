/** `carillon logout`: forgets the keys that a log-in kept. */

import type { Command } from "commander";
import { printingCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { getContext, readContexts, removeContext } from "../contexts.ts";
import { createOutput, type OutputOptions } from "../output.ts";
import { deleteOwnKey } from "./login.ts";

export function logoutCommand(): Command {
  return printingCommand(
    "logout [context]",
    "Forget the keys that carillon login kept. A key that the log-in created is deleted from the server first; if that fails, the keys are forgotten all the same, the key that is left is named, and the exit code is 1. Without a name the chosen context is meant.",
    ["carillon logout", "carillon logout notify.example.com"],
  ).action(async (given: string | undefined, options: OutputOptions) => {
    const contexts = await readContexts(process.env);
    const name = given ?? contexts.current;
    if (name === undefined) {
      throw new CommandFailure(
        "No context is chosen: name the one to log out of; carillon context list shows all.",
      );
    }
    const context = getContext(contexts, name);
    let failure: CommandFailure | undefined;
    try {
      if (context.ownsKey) await deleteOwnKey(context);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      failure = error;
    }
    await removeContext(process.env, name);
    if (failure) {
      throw new CommandFailure(
        `Logged out of ${name}, but its access key ${context.accessKey} is left on the server: ${failure.message}`,
        1,
        { cause: failure },
      );
    }
    createOutput(options).result(`Logged out of ${name}.`, {
      context: name,
      deleted: true,
    });
  });
}
