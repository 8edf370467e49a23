/** What Commander refuses, as one sentence that says what there is. */

import type { Command } from "commander";
import { listText } from "./list-text.ts";

/**
 * Commander's `error: unknown option 'x'\\n(Did you mean y?)` as a sentence,
 * without a line break.
 *
 * @param command the one that refuses
 */
export function toSentence(text: string, command: Command): string {
  const message = text
    .trim()
    .replace(/^error: /, "")
    .replace(/^unknown command '(.*)'/, (_, word: string) =>
      unknownCommand(word, command, text.includes("Did you mean")),
    )
    .replace(
      /^command-argument value '(.*)' is invalid for argument '(.*)'\. Allowed choices are (.*)\.$/,
      "'$1' is no $2: expected one of $3.",
    )
    .replace(
      /^option '(.*)' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/,
      "'$2' is no value of $1: expected one of $3.",
    )
    .replace(
      /^too many arguments(?: for '.*')?\. Expected (\d+) arguments? but got (\d+)\b.*$/s,
      (_, expected: string, got: string) =>
        tooManyWords(expected, got, command),
    )
    .replace(/\n\(Did you mean (.*)\?\)$/, "; did you mean $1?")
    .replace(/([^.?])$/, "$1.");
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
}

function unknownCommand(
  word: string,
  command: Command,
  hasSuggestion: boolean,
): string {
  const unknown = `unknown command '${word}'`;
  if (command.parent !== null) {
    return `${unknown}: ${pathOf(command)} has ${namesIn(command)}`;
  }
  // The program itself has too many to name in a sentence.
  return hasSuggestion
    ? unknown
    : `${unknown}: carillon --help lists those there are`;
}

/** The first of several words may be meant for a command, where one may be left out. */
function tooManyWords(expected: string, got: string, command: Command): string {
  const { parent } = command;
  const first = parent?.args[0] ?? command.name();
  if (parent && first !== command.name() && parent.parent !== null) {
    return `unknown command '${first}': ${pathOf(parent)} has ${namesIn(parent)}; without one it is ${command.name()}, which takes ${expected} ${expected === "1" ? "word" : "words"}, and got ${got}.`;
  }
  return `too many words after ${pathOf(command)}: expected ${expected}, got ${got}.`;
}

function namesIn(command: Command): string {
  return listText(
    command.commands
      .map((inner) => inner.name())
      .filter((name) => name !== "help"),
  );
}

/** Such as `carillon topic list`. */
function pathOf(command: Command): string {
  const above = command.parent === null ? "" : `${pathOf(command.parent)} `;
  return `${above}${command.name()}`;
}
