/** `carillon domain …` */

import { Command } from "commander";
import { type Answer, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  connectHttp,
  deleteCommand,
  domainKind,
  listAll,
  stateOf,
  switchCommand,
} from "../identity.ts";
import { type Column, createOutput } from "../output.ts";

const columns: readonly Column<Answer>[] = [
  { head: "name", cell: (domain) => shown(domain.name) },
  { head: "state", cell: stateOf },
  { head: "id", cell: (domain) => shown(domain.id) },
];

export function domainCommand(): Command {
  return new Command("domain")
    .description(
      "Manage domains; for administrators. A domain is an account with projects and users; it is given by its name or its id.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(
      switchCommand(
        domainKind,
        false,
        "Refuse all users and projects of a domain until it is enabled.",
      ),
    )
    .addCommand(
      switchCommand(domainKind, true, "Let a disabled domain work again."),
    )
    .addCommand(
      deleteCommand(
        domainKind,
        "Delete a domain that has no users and projects.",
      ),
    );
}

function create(): Command {
  return clientCommand("create <name>", "Create a domain.", [
    "carillon domain create acme",
  ]).action(async (name: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const domain = await http.request("POST", "/api/v2/domains", { name });
    createOutput(options).result(
      `Domain ${name} is ${textOf(domain, "id")}.`,
      domain,
    );
  });
}

function list(): Command {
  return clientCommand("list", "List all domains.", [
    "carillon domain list",
  ]).action(async (options: ClientOptions) => {
    const domains = await listAll(await connectHttp(options), domainKind);
    createOutput(options).rows(domains, columns, "There are no domains.");
  });
}
