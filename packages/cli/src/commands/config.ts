/** `carillon config …`: what a server is, or would be, configured with. */

import { ResponseError } from "@carillon/client";
import { ConfigError, resolveConfig, shownValue } from "@carillon/server";
import { Command } from "commander";
import {
  addExamples,
  type ClientOptions,
  clientCommand,
  outputOption,
} from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addConfigOptions } from "../config-options.ts";
import { type Column, createOutput, type OutputOptions } from "../output.ts";
import { withServer } from "../server.ts";

/** One key of the configuration. */
interface Row {
  readonly key: string;
  /** Absent when it is unset; `***` for secrets. */
  readonly value?: unknown;
  /** `--port`, `CARILLON_PORT`, `file:` and its path, or `default`. */
  readonly from: string;
  /** What is wrong with it. */
  readonly problem?: string;
}

const columns: readonly Column<Row>[] = [
  { head: "key", cell: ({ key }) => key },
  { head: "value", cell: ({ value }) => toText(value), wraps: true },
  { head: "from", cell: ({ from }) => from, wraps: true },
  {
    head: "problem",
    cell: ({ problem = "" }) => problem,
    style: () => "red",
    wraps: true,
  },
];

export function configCommand(): Command {
  return new Command("config")
    .description(
      "Show what the server is configured with, and have a server that runs read it again.",
    )
    .addCommand(show())
    .addCommand(reload());
}

function reload(): Command {
  return clientCommand(
    "reload",
    "Have the server read its configuration file again and apply what can change while it runs, as SIGHUP does; for operators. Its options and environment stay as they were at its start. With mistakes in the file nothing changes, and the exit code is 2.",
    ["carillon config reload"],
  ).action(async (options: ClientOptions) => {
    const reloaded = await withServer(options, ({ carillon }) =>
      carillon.configuration.reload().catch(failWithMistakes),
    );
    const { applied, needsRestart } = reloaded;
    const sentences = [
      applied.length > 0
        ? `Applied: ${applied.join(", ")}.`
        : "Nothing has changed that can be applied while the server runs.",
      ...(needsRestart.length > 0
        ? [`Needs a restart: ${needsRestart.join(", ")}.`]
        : []),
    ];
    createOutput(options).result(sentences.join("\n"), reloaded);
  });
}

/** @throws CommandFailure with every mistake, exit code 2; other errors as they are */
function failWithMistakes(error: unknown): never {
  const isOfFile =
    error instanceof ResponseError && error.smnCode === "CONFIGURATION_INVALID";
  if (!isOfFile || error.reason === undefined) throw error;
  throw new CommandFailure(`${error.reason}\nNothing was changed.`, 2, {
    cause: error,
  });
}

function show(): Command {
  const command = addConfigOptions(
    new Command("show")
      .description(
        "Show each key of the configuration with its value and where that is from, secrets hidden. Takes the options of serve. With mistakes they stand beside their keys, and the exit code is 2.",
      )
      .addOption(outputOption()),
  );
  return addExamples(command, [
    "carillon config show",
    "carillon config show --config /etc/carillon.json",
  ]).action(({ output, ...flags }: Record<string, unknown> & OutputOptions) => {
    const { settings, mistakes } = resolveConfig({
      flags,
      env: process.env,
    });
    const known = new Set(settings.map(({ key }) => key.path));
    const rows = settings.map((setting): Row => {
      const { key, origin } = setting;
      const value = shownValue(setting);
      const problems = mistakes.filter((one) => one.key === key.path);
      return {
        key: key.path,
        ...(value !== undefined && { value }),
        from: origin,
        ...(problems.length > 0 && {
          problem: problems
            .map(({ source, problem }) => `${source}: ${problem}`)
            .join("; "),
        }),
      };
    });
    const others = mistakes
      .filter(({ key }) => !known.has(key))
      .map(
        ({ key, source, problem }): Row => ({
          key,
          from: source,
          problem,
        }),
      );
    // Without mistakes the column would only take room.
    const shown = mistakes.length > 0 ? columns : columns.slice(0, -1);
    createOutput(output ? { output } : {}).rows(
      [...rows, ...others],
      shown,
      "",
    );
    if (mistakes.length > 0) {
      const cause = new ConfigError(mistakes);
      throw new CommandFailure(
        mistakes.length === 1
          ? "There is a configuration mistake."
          : `There are ${mistakes.length} configuration mistakes.`,
        2,
        { cause },
      );
    }
  });
}

function toText(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
