/** Options of the commands that publish: what the message's texts are sent with. */

import type { SmsOptions } from "@carillon/client";
import { type Command, InvalidArgumentError } from "commander";
import { wholeNumber } from "./whole-number.ts";

/** The longest validity that the server takes: a week, in minutes. */
const maxValidityMinutes = 10_080;

/** Those that are either true or false. */
const switches = ["allowReply", "escalate", "statusReport"] as const;

type Switches = Pick<SmsOptions, (typeof switches)[number]>;

type Params = Readonly<Record<string, string>>;

export interface SmsOptionValues {
  readonly sender?: string;
  readonly provider?: string;
  readonly validity?: number;
  readonly option?: Switches;
  readonly param?: Params;
}

/** Adds the options to a command. */
export function addSmsOptions(command: Command): Command {
  return addTextOptions(command).option(
    "--provider <name>",
    "texts go through this provider alone",
  );
}

/** The same without `--provider`: what goes to one person has `--backend`. */
export function addTextOptions(command: Command): Command {
  return command
    .option("--sender <sender>", "sender ID of texts")
    .option(
      "--validity <minutes>",
      "how long the carrier may try; default: what is left of the text's life",
      wholeNumber(1, maxValidityMinutes, "minutes"),
    )
    .option(
      "--option <name=value>",
      `of texts: ${switches.join(", ")}, true or false; may be repeated`,
      collectSwitch,
    )
    .option(
      "--param <name=value>",
      "raw parameter for the provider of texts; may be repeated",
      collectParam,
    );
}

/** `undefined` where none was given. */
export function smsOptionsOf(options: SmsOptionValues): SmsOptions | undefined {
  const { sender, provider, validity, option, param } = options;
  const given = {
    ...(sender !== undefined && { sender }),
    ...(provider !== undefined && { provider }),
    ...(validity !== undefined && { validityMinutes: validity }),
    ...option,
    ...(param !== undefined && { params: param }),
  };
  return Object.keys(given).length > 0 ? given : undefined;
}

function collectSwitch(text: string, before: Switches = {}): Switches {
  const [name = "", value] = cut(text);
  const known = switches.find((it) => it === name);
  if (known !== undefined && (value === "true" || value === "false")) {
    return { ...before, [known]: value === "true" };
  }
  throw new InvalidArgumentError(
    `One of ${switches.join(", ")} is expected, with true or false: escalate=true.`,
  );
}

function collectParam(text: string, before: Params = {}): Params {
  const [name, value] = cut(text);
  // The server says what else is wrong with a name.
  if (name && value !== undefined && name !== "__proto__") {
    return { ...before, [name]: value };
  }
  throw new InvalidArgumentError(
    "A name and a value are expected: campaign=spring.",
  );
}

function cut(text: string): [name?: string, value?: string] {
  const at = text.indexOf("=");
  return at < 0 ? [] : [text.slice(0, at), text.slice(at + 1)];
}
