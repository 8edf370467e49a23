/** `carillon publisher category …` */

import type { Category } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { publisherWord } from "../pull-accounts.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";

const columns: readonly Column<Category>[] = [
  { head: "category", cell: ({ reference }) => reference, wraps: true },
  { head: "topic", cell: ({ topicName }) => topicName },
  { head: "created", cell: ({ createdAt }) => shortTime(createdAt) },
];

export function categoryCommand(): Command {
  return new Command("category")
    .description(
      "Add, list and remove categories of a publisher. A category is a text of its own choice, kept as it is, and has a topic.",
    )
    .addCommand(add())
    .addCommand(list())
    .addCommand(remove());
}

function add(): Command {
  return clientCommand(
    "add <publisher> <category>",
    "Add a category to a publisher; one that is there already is left as it is.",
    [
      "carillon publisher category add weather storm",
      'carillon publisher category add weather "Black ice" --topic ice',
    ],
  )
    .option(
      "--topic <topic>",
      "name of its topic, created if there is none; by default made from both names",
    )
    .action(
      async (
        publisher: string,
        reference: string,
        { topic, ...options }: ClientOptions & { readonly topic?: string },
      ) => {
        const category = await withServer(options, ({ carillon }) =>
          orNoSuch(
            publisherWord,
            publisher,
            carillon.publishers.addCategory(publisher, { reference, topic }),
          ),
        );
        createOutput(options).result(
          `Category ${reference} of ${publisher} has the topic ${category.topicName}.`,
          category,
        );
      },
    );
}

function list(): Command {
  return clientCommand("list <publisher>", "List a publisher's categories.", [
    "carillon publisher category list weather",
  ]).action(async (publisher: string, options: ClientOptions) => {
    const categories = await withServer(options, ({ carillon }) =>
      orNoSuch(
        publisherWord,
        publisher,
        carillon.publishers.categories(publisher),
      ),
    );
    createOutput(options).rows(
      categories,
      columns,
      `There are no categories: add one with carillon publisher category add ${publisher} <category>.`,
    );
  });
}

function remove(): Command {
  return clientCommand(
    "remove <publisher> <category>",
    "Remove a category. Its topic and who is subscribed to that stay.",
    ["carillon publisher category remove weather storm"],
  ).action(
    async (publisher: string, reference: string, options: ClientOptions) => {
      await withServer(options, ({ carillon }) =>
        orNoSuch(
          {
            noun: "publisher category",
            word: "category",
            listedBy: `carillon publisher category list ${publisher}`,
            codes: ["CATEGORY_NOT_FOUND"],
          },
          reference,
          carillon.publishers.removeCategory(publisher, reference, {
            ignoreMissing: false,
          }),
        ),
      );
      createOutput(options).result(
        `${publisher} has no category ${reference} any more.`,
        { publisher, reference, deleted: true },
      );
    },
  );
}
