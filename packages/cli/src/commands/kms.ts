/** `carillon kms …` */

import { Command } from "commander";
import { type Answer, listOf, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { type Column, createOutput } from "../output.ts";
import { connect, type Service } from "../service.ts";

const columns: readonly Column<Answer>[] = [
  { head: "name", cell: (key) => shown(key.name) },
  {
    head: "status",
    cell: (key) => shown(key.status),
    style: (key) => (key.status === "ENABLED" ? "green" : "yellow"),
  },
  { head: "created", cell: (key) => shown(key.createdAt) },
  { head: "id", cell: (key) => shown(key.id) },
];

export function kmsCommand(): Command {
  return new Command("kms")
    .description(
      "Make, list, enable and disable the keys that topics' messages can be encrypted with at rest. A key is given by its name or its id.",
    )
    .addCommand(create())
    .addCommand(list())
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
  return clientCommand("create <name>", "Make a key; it is enabled.", [
    "carillon kms create orders",
  ])
    .option("--id <id>", "an id of your own, for topics that name one already")
    .action(
      async (
        name: string,
        options: ClientOptions & { readonly id?: string },
      ) => {
        const { http } = await connect(options);
        const key = await http.request("POST", "/api/v2/keys", {
          name,
          ...(options.id !== undefined && { id: options.id }),
        });
        createOutput(options).result(
          `Key ${name} has the id ${textOf(key, "id")}.`,
          key,
        );
      },
    );
}

function list(): Command {
  return clientCommand("list", "List the project's keys, oldest first.", [
    "carillon kms list",
  ]).action(async (options: ClientOptions) => {
    createOutput(options).rows(
      await listKeys(await connect(options)),
      columns,
      "There are no keys: make one with carillon kms create <name>.",
    );
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
    const service = await connect(options);
    const known = (await listKeys(service)).find(
      ({ id, name }) => id === key || name === key,
    );
    if (!known) {
      throw new CommandFailure(
        `There is no key "${key}": carillon kms list shows all.`,
      );
    }
    const id = encodeURIComponent(textOf(known, "id"));
    const path = `/api/v2/keys/${id}/${action}`;
    const answer = await service.http.request("POST", path);
    createOutput(options).result(`Key ${key} ${done}.`, answer);
  });
}

async function listKeys({ http }: Service): Promise<readonly Answer[]> {
  return listOf(await http.request("GET", "/api/v2/keys"), "keys");
}
