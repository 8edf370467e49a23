/** `carillon domain …` */

import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  deleteCommand,
  domainKind,
  listCommand,
  showCommand,
  switchCommand,
} from "../identity.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";

export function domainCommand(): Command {
  return new Command("domain")
    .description(
      "Manage domains; for operators. A domain is an account with projects and users; it is given by its name, its id or the start of its id.",
    )
    .addCommand(create())
    .addCommand(
      listCommand(domainKind, {
        about: "List all domains.",
        whenNone: "There are no domains.",
      }),
    )
    .addCommand(showCommand(domainKind, "Show one domain."))
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
    const domain = await withServer(options, ({ carillon }) =>
      carillon.domains.create({ name }),
    );
    createOutput(options).result(`Domain ${name} is ${domain.id}.`, domain);
  });
}
