/** Options that all commands have which talk to a server. */

import { Command } from "commander";
import type { ConnectionOptions } from "./connection.ts";

/** Options that every command which asks a server has. */
export interface ClientOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** A command that talks to a server, with examples under its help. */
export function clientCommand(
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  const [name, ...arguments_] = usage.split(" ");
  const command = new Command(name);
  for (const argument of arguments_) command.argument(argument);
  return addExamples(
    command
      .description(description)
      .option("--url <url>", "where the server is (CARILLON_URL)")
      .option("--data <folder>", "the server's data folder (CARILLON_DATA)")
      .option("--json", "one JSON object per line, as without a terminal"),
    examples,
  );
}

/** Appends examples to the help of a command. */
export function addExamples(
  command: Command,
  examples: readonly string[],
): Command {
  const lines = examples.map((example) => `  $ ${example}`).join("\n");
  return command.addHelpText(
    "after",
    `\nExample${examples.length > 1 ? "s" : ""}:\n${lines}`,
  );
}
