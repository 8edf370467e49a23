/** One option per configuration key, made from the server's table of keys. */

import { type ConfigKey, listConfigKeys } from "@carillon/server";
import { type Command, Option } from "commander";

/**
 * Adds `--config` and an option for every key that may have one. A switch is on
 * with `--name` and `--name=true`, off with `--no-name` and `--name=false`; the
 * words are those that the environment takes (true, 1, yes, on; false, 0, no,
 * off), and the last one given counts.
 */
export function addConfigOptions(command: Command): Command {
  command.option("--config <file>", "configuration file (CARILLON_CONFIG)");
  for (const key of listConfigKeys()) {
    if (key.flag === undefined) continue;
    command.addOption(toOption(key, key.flag));
    if (key.kind === "boolean") {
      // Beside its own line of the help it would say nothing new.
      command.addOption(new Option(toNegative(key.flag)).hideHelp());
    }
  }
  return command;
}

function toOption(key: ConfigKey, flag: string): Option {
  const [firstSentence = ""] = key.description.split(/(?<=\.) /);
  const text = `${firstSentence.replaceAll("`", "").replace(/\.$/, "")} (${[
    key.variable,
    ...(isShown(key.default) ? [`default: ${defaultText(key.default)}`] : []),
  ].join(", ")})`;
  switch (key.kind) {
    case "boolean":
      return new Option(`${flag} [true|false]`, text);
    case "integer":
    case "number":
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

/** `--sandbox` is switched off by `--no-sandbox`, and by `--sandbox=false`. */
function toNegative(flag: string): string {
  return flag.replace(/^--/, "--no-");
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

/** Of a list with room to break lines at. */
function defaultText(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}
