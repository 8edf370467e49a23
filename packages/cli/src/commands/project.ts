/** `carillon project …` */

import { Command } from "commander";
import { type Answer, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  connectHttp,
  deleteCommand,
  domainKind,
  findOne,
  listAll,
  projectKind,
  stateOf,
  switchCommand,
} from "../identity.ts";
import { type Column, createOutput } from "../output.ts";

const columns: readonly Column<Answer>[] = [
  { head: "name", cell: (project) => shown(project.name) },
  { head: "state", cell: stateOf },
  { head: "domain", cell: (project) => shown(project.domainId) },
  { head: "id", cell: (project) => shown(project.id) },
];

export function projectCommand(): Command {
  return new Command("project")
    .description(
      "Manage projects; for administrators. A project owns topics and messages; it is given by its name or its id.",
    )
    .addCommand(create())
    .addCommand(list())
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
        "Delete a project that has no topics, with its access keys.",
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
        const http = await connectHttp(options);
        const project = await http.request("POST", "/api/v2/projects", {
          name,
          ...(options.id !== undefined && { id: options.id }),
          ...(options.domain !== undefined && {
            domainId: textOf(
              await findOne(http, domainKind, options.domain),
              "id",
            ),
          }),
        });
        createOutput(options).result(
          `Project ${name} is ${textOf(project, "id")}.`,
          project,
        );
      },
    );
}

function list(): Command {
  return clientCommand("list", "List all projects.", [
    "carillon project list",
  ]).action(async (options: ClientOptions) => {
    const projects = await listAll(await connectHttp(options), projectKind);
    createOutput(options).rows(projects, columns, "There are no projects.");
  });
}
