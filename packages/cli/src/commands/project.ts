/** `carillon project …` */

import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  deleteCommand,
  domainKind,
  findId,
  listCommand,
  projectKind,
  showCommand,
  switchCommand,
} from "../identity.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";

export function projectCommand(): Command {
  return new Command("project")
    .description(
      "Manage projects; for administrators. A project owns topics and messages; it is given by its name, its id or the start of its id.",
    )
    .addCommand(create())
    .addCommand(
      listCommand(projectKind, {
        about: "List all projects.",
        whenNone: "There are no projects.",
      }),
    )
    .addCommand(showCommand(projectKind, "Show one project."))
    .addCommand(
      switchCommand(
        projectKind,
        false,
        "Refuse everybody who acts in a project; what it has published is still delivered.",
      ),
    )
    .addCommand(
      switchCommand(projectKind, true, "Let a disabled project work again."),
    )
    .addCommand(
      deleteCommand(
        projectKind,
        "Delete a project that has no topics, with its access keys, templates, keys and address book.",
      ),
    );
}

function create(): Command {
  return clientCommand("create <name>", "Create a project.", [
    "carillon project create shop",
    "carillon project create shop --id 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  ])
    .option("--id <id>", "its id, such as the one it has elsewhere")
    .option("--domain <domain>", "its domain; yours by default")
    .action(
      async (
        name: string,
        options: ClientOptions & {
          readonly id?: string;
          readonly domain?: string;
        },
      ) => {
        const { id, domain } = options;
        const project = await withServer(options, async ({ carillon }) =>
          carillon.projects.create({
            name,
            id,
            domainId:
              domain === undefined
                ? undefined
                : await findId(carillon, domainKind, domain),
          }),
        );
        createOutput(options).result(
          `Project ${name} is ${project.id}.`,
          project,
        );
      },
    );
}
