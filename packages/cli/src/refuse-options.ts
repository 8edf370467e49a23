/** Options that do not go with what else was asked for. */

import type { Command } from "commander";
import { CommandFailure } from "./command-failure.ts";
import { listText } from "./list-text.ts";

/**
 * Refuses those of the named options that were given, in one sentence, before
 * anything is asked of a server.
 *
 * @param names as Commander names their values: `timeToLive`
 * @param where they go, such as `for many deliveries`
 * @throws CommandFailure with exit code 2
 */
export function refuseOptions(
  command: Command,
  names: readonly string[],
  where: string,
): void {
  const given = command.options
    .filter((one) => names.includes(one.attributeName()))
    .filter(
      (one) => command.getOptionValueSource(one.attributeName()) === "cli",
    )
    .map(({ long = "" }) => long);
  if (given.length === 0) return;
  const verb = given.length === 1 ? "is" : "are";
  throw new CommandFailure(`${listText(given)} ${verb} ${where}.`, 2);
}
