/** `carillon user …` */

import { text } from "node:stream/consumers";
import type { UserWithPassword } from "@carillon/client";
import { Argument, Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import {
  deleteCommand,
  domainKind,
  findId,
  findOne,
  listCommand,
  projectKind,
  showCommand,
  switchCommand,
  userKind,
} from "../identity.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";

export function userCommand(): Command {
  return new Command("user")
    .description(
      "Manage users; for administrators. A user is given by its name, its id or the start of its id.",
    )
    .addCommand(create())
    .addCommand(
      listCommand(userKind, {
        about: "List all users.",
        whenNone: "There are no users.",
        examples: ["carillon user list -o json | jq -r .name"],
      }),
    )
    .addCommand(showCommand(userKind, "Show one user."))
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

const roles = ["member", "admin", "operator"] as const;

function roleOption(): Option {
  return new Option(
    "--role <role>",
    "admin manages the domain and acts in each of its projects, operator in all domains",
  ).choices(roles);
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
        const { role, domain } = options;
        const user = await withServer(options, async ({ carillon }) => {
          const domainId =
            domain === undefined
              ? (await carillon.whoami()).domainId
              : await findId(carillon, domainKind, domain);
          const projectIds: string[] = [];
          for (const project of options.project) {
            projectIds.push(
              await findId(carillon, projectKind, project, domainId),
            );
          }
          return await carillon.users.create({
            name,
            role,
            projectIds,
            domainId,
            password: await readPassword(options),
          });
        });
        createOutput(options).result(
          `User ${name} is created${passwordSentence(user)}.`,
          user,
        );
      },
    );
}

function setRole(): Command {
  return clientCommand(
    "role <user>",
    "Make a user member, admin or operator.",
    ["carillon user role ann admin"],
  )
    .addArgument(new Argument("<role>").choices(roles))
    .action(async (user: string, role: string, options: ClientOptions) => {
      const changed = await withServer(options, async ({ carillon }) => {
        const id = await findId(carillon, userKind, user);
        return await carillon.users.change(id, { role });
      });
      createOutput(options).result(`User ${user} is ${role} now.`, changed);
    });
}

function assign(): Command {
  return clientCommand(
    "assign <user> <project>",
    "Let a user act in a project of its domain.",
    ["carillon user assign ann shop"],
  ).action(async (user: string, project: string, options: ClientOptions) => {
    const assigned = await withServer(options, async ({ carillon }) => {
      const { id, domainId } = await findOne(carillon, userKind, user);
      return await carillon.users.assign(
        id,
        await findId(carillon, projectKind, project, domainId),
      );
    });
    createOutput(options).result(
      `User ${user} acts in project ${project}.`,
      assigned,
    );
  });
}

function unassign(): Command {
  return clientCommand(
    "unassign <user> <project>",
    "Take a project from a user; its access keys for that project stop working.",
    ["carillon user unassign ann shop"],
  ).action(async (user: string, project: string, options: ClientOptions) => {
    const unassigned = await withServer(options, async ({ carillon }) => {
      const { id, domainId } = await findOne(carillon, userKind, user);
      return await carillon.users.unassign(
        id,
        await findId(carillon, projectKind, project, domainId),
      );
    });
    createOutput(options).result(
      `User ${user} no longer acts in project ${project}.`,
      unassigned,
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
      const rotated = await withServer(options, async ({ carillon }) =>
        carillon.users.rotate(
          await findId(carillon, userKind, user),
          await readPassword(options),
        ),
      );
      createOutput(options).result(
        `User ${user} has another password${passwordSentence(rotated)}.`,
        rotated,
      );
    });
}

interface PasswordOptions {
  readonly passwordStdin?: boolean;
}

/** Not from the command line, which everybody on the machine can read. */
async function readPassword({
  passwordStdin,
}: PasswordOptions): Promise<string | undefined> {
  if (!passwordStdin) return undefined;
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  if (password !== "") return password;
  throw new CommandFailure("No password came on stdin.", 2);
}

function passwordSentence({ password }: UserWithPassword): string {
  return password === undefined
    ? ""
    : `; its password, which is not shown again, is ${password}`;
}
