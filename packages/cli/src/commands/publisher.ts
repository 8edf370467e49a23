/** `carillon publisher …` */

import type { PullPublisher } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import type { Column } from "../output.ts";
import { createOutput } from "../output.ts";
import {
  type AccountKind,
  accountCommands,
  publisherWord,
  secretText,
} from "../pull-accounts.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import { categoryCommand } from "./publisher-category.ts";
import { publishToCategoriesCommand } from "./publisher-publish.ts";

const columns: readonly Column<PullPublisher>[] = [
  { head: "name", cell: ({ name }) => name },
  { head: "state", cell: stateOf },
  { head: "id", cell: ({ id }) => id },
  { head: "topic", cell: ({ topicName }) => topicName },
];

const kind: AccountKind<PullPublisher> = {
  noun: "publisher",
  word: publisherWord,
  example: "weather",
  accounts: ({ publishers }) => publishers,
  columns,
  fields: [
    ...columns,
    { head: "created", cell: ({ createdAt }) => shortTime(createdAt) },
  ],
  follows: () => " and its categories",
};

export function publisherCommand(): Command {
  const command = new Command("publisher")
    .description(
      "Manage publishers: accounts that publish by categories, over the Notipy protocol or /api/v2. A publisher has a topic for all its subscribers, and one for each category.",
    )
    .addCommand(create());
  for (const one of accountCommands(kind)) command.addCommand(one);
  return command
    .addCommand(categoryCommand())
    .addCommand(publishToCategoriesCommand());
}

function create(): Command {
  return clientCommand(
    "create <name>",
    "Create a publisher. Its secret is shown this once.",
    [
      "carillon publisher create weather",
      "carillon publisher create weather --topic weather-alerts",
    ],
  )
    .option(
      "--topic <topic>",
      "name of the topic of all its subscribers, created if there is none; by default the publisher's name, unless a topic of that name has subscribers",
    )
    .action(
      async (
        name: string,
        { topic, ...options }: ClientOptions & { readonly topic?: string },
      ) => {
        const created = await withServer(options, ({ carillon }) =>
          carillon.publishers.create({ name, topic }),
        );
        createOutput(options).result(secretText(kind.noun, created), created);
      },
    );
}

function stateOf({ disabled }: PullPublisher): string {
  return disabled ? "disabled" : "enabled";
}
