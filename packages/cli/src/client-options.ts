/** Options that all commands have which talk to a server. */

import { Command, Option } from "commander";
import type { ConnectionOptions } from "./connection.ts";
import { type OutputOptions, outputFormats } from "./output.ts";

/** Options that every command which asks a server has. */
export interface ClientOptions extends ConnectionOptions, OutputOptions {}

/** A command that talks to a server, with examples under its help. */
export function clientCommand(
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return printingCommand(usage, description, examples)
    .option("--url <url>", "where the server is (CARILLON_URL)")
    .option("--data <folder>", "the server's data folder (CARILLON_DATA)")
    .option("--context <name>", "where carillon login was to");
}

/** A command that prints results and asks no server. */
export function printingCommand(
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  const [name, ...arguments_] = usage.split(" ");
  const command = new Command(name).description(description);
  for (const argument of arguments_) command.argument(argument);
  return addExamples(command.addOption(outputOption()), examples);
}

/** `-o, --output` */
export function outputOption(): Option {
  return new Option(
    "-o, --output <format>",
    "table, as on a terminal, or json: one object per line, as elsewhere",
  ).choices(outputFormats);
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
