/** One option per configuration key, made from the server's table of keys. */

import { type ConfigKey, listConfigKeys } from "@carillon/server";
import { type Command, Option } from "commander";

/** Adds `--config` and an option for every key that may have one. */
export function addConfigOptions(command: Command): Command {
  command.option("--config <file>", "configuration file (CARILLON_CONFIG)");
  for (const key of listConfigKeys()) {
    if (key.flag) command.addOption(toOption(key, key.flag));
  }
  return command;
}

function toOption(key: ConfigKey, flag: string): Option {
  const [firstSentence = ""] = key.description.split(/(?<=\.) /);
  const text = `${firstSentence.replaceAll("`", "").replace(/\.$/, "")} (${[
    key.variable,
    ...(isShown(key.default) ? [`default: ${String(key.default)}`] : []),
  ].join(", ")})`;
  switch (key.kind) {
    case "boolean":
      return new Option(flag, text);
    case "integer":
      return new Option(`${flag} <number>`, text);
    case "list":
    case "integers":
      return new Option(`${flag} <list>`, text).argParser(
        (value: string, all: readonly string[] = []) => [...all, value],
      );
    case "text":
      return new Option(`${flag} <${placeholder(flag)}>`, text);
    default:
      return key.kind satisfies never;
  }
}

function placeholder(flag: string): string {
  const word = flag.split("-").at(-1) ?? "";
  return word === "url" ? "url" : word === "data" ? "folder" : "text";
}

function isShown(value: unknown): boolean {
  return (
    value !== undefined &&
    value !== false &&
    !(Array.isArray(value) && value.length === 0)
  );
}
