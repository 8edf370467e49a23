/** `carillon user …` */

import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { type Answer, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import type { HttpClient } from "../http-client.ts";
import {
  connectHttp,
  deleteCommand,
  domainKind,
  findOne,
  listAll,
  pathOfOne,
  projectKind,
  stateOf,
  switchCommand,
  userKind,
} from "../identity.ts";
import { type Column, createOutput } from "../output.ts";

const columns: readonly Column<Answer>[] = [
  { head: "name", cell: (user) => shown(user.name) },
  { head: "role", cell: (user) => shown(user.role) },
  { head: "state", cell: stateOf },
  {
    head: "projects",
    cell: ({ projectIds }) =>
      Array.isArray(projectIds) ? String(projectIds.length) : "",
    align: "right",
  },
  { head: "domain", cell: (user) => shown(user.domainId) },
  { head: "id", cell: (user) => shown(user.id) },
];

export function userCommand(): Command {
  return new Command("user")
    .description(
      "Manage users; for administrators. A user is given by its name or its id.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(setRole())
    .addCommand(assign())
    .addCommand(unassign())
    .addCommand(
      switchCommand(
        userKind,
        false,
        "Log a user out and refuse it, with its access keys, until it is enabled.",
      ),
    )
    .addCommand(switchCommand(userKind, true, "Let a disabled user in again."))
    .addCommand(rotate())
    .addCommand(deleteCommand(userKind, "Delete a user and its access keys."));
}

function roleOption(): Option {
  return new Option(
    "--role <role>",
    "admin manages users and acts in every project of the domain",
  ).choices(["member", "admin"]);
}

function create(): Command {
  return clientCommand(
    "create <name>",
    "Create a user. The password is made up and shown this once, unless it is given on stdin.",
    [
      "carillon user create ann --project shop",
      "carillon user create eve --role admin --password-stdin < password.txt",
    ],
  )
    .addOption(roleOption().default("member"))
    .option("--project <project...>", "projects it acts in", [])
    .option("--domain <domain>", "its domain; yours by default")
    .option("--password-stdin", "read the password from stdin")
    .action(
      async (
        name: string,
        options: ClientOptions &
          PasswordOptions & {
            readonly role: string;
            readonly project: readonly string[];
            readonly domain?: string;
          },
      ) => {
        const http = await connectHttp(options);
        const projectIds = [];
        for (const project of options.project) {
          projectIds.push(await idOf(http, project));
        }
        const answer = await http.request("POST", "/api/v2/users", {
          name,
          role: options.role,
          projectIds,
          ...(options.domain !== undefined && {
            domainId: textOf(
              await findOne(http, domainKind, options.domain),
              "id",
            ),
          }),
          ...(await readPassword(options)),
        });
        createOutput(options).result(
          `User ${name} is created${passwordSentence(answer)}.`,
          answer,
        );
      },
    );
}

function list(): Command {
  return clientCommand("list", "List all users.", [
    "carillon user list",
    "carillon user list --json | jq -r .name",
  ]).action(async (options: ClientOptions) => {
    const users = await listAll(await connectHttp(options), userKind);
    createOutput(options).rows(users, columns, "There are no users.");
  });
}

function setRole(): Command {
  return clientCommand("role <user> <role>", "Make a user member or admin.", [
    "carillon user role ann admin",
  ]).action(async (user: string, role: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const path = await pathOfOne(http, userKind, user);
    const answer = await http.request("PATCH", path, { role });
    createOutput(options).result(`User ${user} is ${role} now.`, answer);
  });
}

function assign(): Command {
  return clientCommand(
    "assign <user> <project>",
    "Let a user act in a project of its domain.",
    ["carillon user assign ann shop"],
  ).action(async (user: string, project: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const path = await assignmentPath(http, user, project);
    const answer = await http.request("PUT", path);
    createOutput(options).result(
      `User ${user} acts in project ${project}.`,
      answer,
    );
  });
}

function unassign(): Command {
  return clientCommand(
    "unassign <user> <project>",
    "Take a project from a user; its access keys for that project stop working.",
    ["carillon user unassign ann shop"],
  ).action(async (user: string, project: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const path = await assignmentPath(http, user, project);
    const answer = await http.request("DELETE", path);
    createOutput(options).result(
      `User ${user} no longer acts in project ${project}.`,
      answer,
    );
  });
}

function rotate(): Command {
  return clientCommand(
    "rotate <user>",
    "Give a user another password and log it out. The password is made up and shown this once, unless it is given on stdin.",
    ["carillon user rotate ann"],
  )
    .option("--password-stdin", "read the password from stdin")
    .action(async (user: string, options: ClientOptions & PasswordOptions) => {
      const http = await connectHttp(options);
      const path = await pathOfOne(http, userKind, user);
      const password = await readPassword(options);
      const answer = await http.request("POST", `${path}/rotate`, password);
      createOutput(options).result(
        `User ${user} has another password${passwordSentence(answer)}.`,
        answer,
      );
    });
}

interface PasswordOptions {
  readonly passwordStdin?: boolean;
}

/** Not from the command line, which everybody on the machine can read. */
async function readPassword({
  passwordStdin,
}: PasswordOptions): Promise<{ readonly password?: string }> {
  if (!passwordStdin) return {};
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  if (password !== "") return { password };
  throw new CommandFailure("No password came on stdin.", 2);
}

function passwordSentence({ password }: Answer): string {
  return typeof password === "string"
    ? `; its password, which is not shown again, is ${password}`
    : "";
}

async function idOf(http: HttpClient, project: string): Promise<string> {
  return textOf(await findOne(http, projectKind, project), "id");
}

async function assignmentPath(
  http: HttpClient,
  user: string,
  project: string,
): Promise<string> {
  const path = await pathOfOne(http, userKind, user);
  const id = await idOf(http, project);
  return `${path}/projects/${encodeURIComponent(id)}`;
}
