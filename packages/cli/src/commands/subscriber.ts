/** `carillon subscriber …` */

import {
  type LegacyConfirm,
  legacyConfirmModes,
  type PullSubscriber,
} from "@carillon/client";
import { Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import {
  type AccountKind,
  accountCommands,
  secretText,
  subscriberWord,
} from "../pull-accounts.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import { wholeNumber } from "../whole-number.ts";
import { followingCommands } from "./subscriber-following.ts";

const columns: readonly Column<PullSubscriber>[] = [
  { head: "name", cell: ({ name }) => name },
  { head: "state", cell: stateOf },
  { head: "id", cell: ({ id }) => id },
  { head: "holds", cell: ({ depth }) => String(depth), align: "right" },
  { head: "quota", cell: ({ quota }) => String(quota), align: "right" },
];

const kind: AccountKind<PullSubscriber> = {
  noun: "subscriber",
  word: subscriberWord,
  example: "hall-display",
  accounts: ({ subscribers }) => subscribers,
  columns,
  fields: [
    ...columns,
    { head: "waiting", cell: ({ counts }) => String(counts?.waiting ?? "") },
    { head: "leased", cell: ({ counts }) => String(counts?.leased ?? "") },
    { head: "dead", cell: ({ counts }) => String(counts?.dead ?? "") },
    { head: "legacy confirm", cell: ({ legacyConfirm }) => legacyConfirm },
    { head: "created", cell: ({ createdAt }) => shortTime(createdAt) },
  ],
  follows: ({ depth }) =>
    depth === 0
      ? ""
      : ` and the ${depth === 1 ? "message" : `${depth} messages`} that its mailbox holds`,
};

interface SettingOptions extends ClientOptions {
  readonly quota?: number;
  readonly legacyConfirm?: LegacyConfirm;
}

export function subscriberCommand(): Command {
  const command = new Command("subscriber")
    .description(
      "Manage pull subscribers: mailboxes of messages that are fetched, with credentials of their own, and what they follow. Every subscription of the protocol pull to the endpoint of this name fills the mailbox.",
    )
    .addCommand(create())
    .addCommand(set());
  for (const one of accountCommands(kind)) command.addCommand(one);
  for (const one of followingCommands()) command.addCommand(one);
  return command;
}

function withSettings(command: Command): Command {
  return command
    .option(
      "--quota <n>",
      "messages it holds that are not confirmed; what comes beyond fails",
      wholeNumber(1, 10_000_000),
    )
    .addOption(
      new Option(
        "--legacy-confirm <mode>",
        "whether a GET of the Notipy protocol may be a confirmation: on, off, or auto: if the client is Python's and has never confirmed by id",
      ).choices(legacyConfirmModes),
    );
}

function create(): Command {
  return withSettings(
    clientCommand(
      "create <name>",
      "Create a subscriber. Its secret is shown this once. A mailbox that a subscription made has no credentials: carillon subscriber rotate-secret gives it some.",
      [
        "carillon subscriber create hall-display",
        "carillon subscriber create hall-display --quota 1000",
      ],
    ),
  ).action(async (name: string, options: SettingOptions) => {
    const { quota, legacyConfirm } = options;
    const created = await withServer(options, ({ carillon }) =>
      carillon.subscribers.create({ name, quota, legacyConfirm }),
    );
    createOutput(options).result(secretText(kind.noun, created), created);
  });
}

function set(): Command {
  return withSettings(
    clientCommand("set <subscriber>", "Change settings of a subscriber.", [
      "carillon subscriber set hall-display --quota 5000",
      "carillon subscriber set hall-display --legacy-confirm off",
    ]),
  ).action(async (name: string, options: SettingOptions) => {
    const { quota, legacyConfirm } = options;
    if (quota === undefined && legacyConfirm === undefined) {
      throw new CommandFailure("Expected --quota or --legacy-confirm.", 2);
    }
    const changed = await withServer(options, ({ carillon }) =>
      orNoSuch(
        kind.word,
        name,
        carillon.subscribers.change(name, { quota, legacyConfirm }),
      ),
    );
    createOutput(options).result(
      `Subscriber ${name} holds ${changed.quota} messages at most; legacy confirm is ${changed.legacyConfirm}.`,
      changed,
    );
  });
}

function stateOf({ disabled, hasSecret }: PullSubscriber): string {
  if (disabled) return "disabled";
  return hasSecret ? "enabled" : "no secret";
}
