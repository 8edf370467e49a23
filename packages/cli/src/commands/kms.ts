/** `carillon kms …` */

import type { Key } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { chooseOne, type Naming } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";

const naming: Naming<Key> = {
  noun: "kms",
  word: "key",
  idOf: ({ id }) => id,
  nameOf: ({ name }) => name,
};

const columns: readonly Column<Key>[] = [
  { head: "name", cell: (key) => key.name },
  {
    head: "status",
    cell: (key) => key.status,
    style: (key) => (key.status === "ENABLED" ? "green" : "yellow"),
  },
  { head: "created", cell: (key) => shortTime(key.createdAt) },
  { head: "id", cell: (key) => key.id, isId: true },
];

export function kmsCommand(): Command {
  return new Command("kms")
    .description(
      "Create, list, show, enable and disable the keys that topics' messages can be encrypted with at rest. A key is given by its name, its id or the start of its id.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(change("enable", "Enable a key.", "is enabled"))
    .addCommand(
      change(
        "disable",
        "Disable a key: topics it is bound to cannot be published to; what was accepted is still delivered.",
        "is disabled",
      ),
    );
}

function create(): Command {
  return clientCommand("create <name>", "Create a key; it is enabled.", [
    "carillon kms create orders",
  ])
    .option("--id <id>", "an id of your own, for topics that name one already")
    .action(
      async (
        name: string,
        options: ClientOptions & { readonly id?: string },
      ) => {
        const key = await withServer(options, ({ carillon }) =>
          carillon.keys.create({ name, id: options.id }),
        );
        createOutput(options).result(`Key ${name} has the id ${key.id}.`, key);
      },
    );
}

function list(): Command {
  return clientCommand("list", "List the project's keys, oldest first.", [
    "carillon kms list",
  ]).action(async (options: ClientOptions) => {
    createOutput(options).rows(
      await withServer(options, ({ carillon }) => carillon.keys.list()),
      columns,
      "There are no keys: create one with carillon kms create <name>.",
    );
  });
}

function show(): Command {
  return clientCommand("show <key>", "Show one key.", [
    "carillon kms show orders",
  ]).action(async (key: string, options: ClientOptions) => {
    const all = await withServer(options, ({ carillon }) =>
      carillon.keys.list(),
    );
    createOutput(options).record(chooseOne(all, naming, key), columns);
  });
}

function change(
  action: "enable" | "disable",
  description: string,
  done: string,
): Command {
  return clientCommand(`${action} <key>`, description, [
    `carillon kms ${action} orders`,
  ]).action(async (key: string, options: ClientOptions) => {
    const changed = await withServer(options, async ({ carillon }) => {
      const { id } = chooseOne(await carillon.keys.list(), naming, key);
      return await carillon.keys[action](id);
    });
    createOutput(options).result(`Key ${key} ${done}.`, changed);
  });
}
