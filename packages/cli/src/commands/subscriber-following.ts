/** `carillon subscriber follow`, `unfollow` and `following` */

import type { Followed } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { listText } from "../list-text.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { subscriberWord } from "../pull-accounts.ts";
import { withServer } from "../server.ts";

const columns: readonly Column<Followed>[] = [
  { head: "publisher", cell: ({ publisher }) => publisher },
  {
    head: "categories",
    cell: ({ categories }) => categories.join(", "),
    wraps: true,
  },
];

export function followingCommands(): readonly Command[] {
  return [follow(), unfollow(), following()];
}

function follow(): Command {
  return clientCommand(
    "follow <name> <publisher> [category...]",
    "Have a subscriber get what a publisher sends to all, and what it sends to these categories. What it follows already stays.",
    [
      "carillon subscriber follow hall-display weather",
      "carillon subscriber follow hall-display weather storm ice",
    ],
  ).action(
    async (
      name: string,
      publisher: string,
      categories: readonly string[],
      options: ClientOptions,
    ) => {
      await withServer(options, ({ carillon }) =>
        carillon.subscribers.follow(name, { publisher, categories }),
      );
      const of =
        categories.length === 0 ? "" : `, and of it ${listText(categories)}`;
      createOutput(options).result(
        `Subscriber ${name} follows ${publisher}${of}.`,
        { subscriber: name, publisher, categories },
      );
    },
  );
}

function unfollow(): Command {
  return clientCommand(
    "unfollow <name> <publisher> [category...]",
    "Have a subscriber leave these categories; without any the publisher, with all its categories. What its mailbox holds stays.",
    [
      "carillon subscriber unfollow hall-display weather ice",
      "carillon subscriber unfollow hall-display weather",
    ],
  ).action(
    async (
      name: string,
      publisher: string,
      categories: readonly string[],
      options: ClientOptions,
    ) => {
      await withServer(options, ({ carillon }) =>
        carillon.subscribers.unfollow(name, {
          publisher,
          ...(categories.length > 0 && { categories }),
        }),
      );
      const what =
        categories.length === 0
          ? publisher
          : `${listText(categories)} of ${publisher}`;
      createOutput(options).result(
        `Subscriber ${name} does not follow ${what} any more.`,
        { subscriber: name, publisher, categories },
      );
    },
  );
}

function following(): Command {
  return clientCommand(
    "following <subscriber>",
    "List the publishers that a subscriber follows, and their categories.",
    ["carillon subscriber following hall-display"],
  ).action(async (name: string, options: ClientOptions) => {
    const followed = await withServer(options, ({ carillon }) =>
      orNoSuch(subscriberWord, name, carillon.subscribers.following(name)),
    );
    createOutput(options).rows(
      followed,
      columns,
      `It follows nobody: carillon subscriber follow ${name} <publisher> makes it.`,
    );
  });
}
