/** `carillon key …` */

import { Command } from "commander";
import { type Answer, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  connectHttp,
  deleteCommand,
  findOne,
  keyKind,
  listAll,
  pathOfOne,
  projectKind,
  stateOf,
  switchCommand,
  userKind,
} from "../identity.ts";
import { type Column, createOutput } from "../output.ts";

const columns: readonly Column<Answer>[] = [
  { head: "access key", cell: (key) => shown(key.accessKey) },
  { head: "state", cell: stateOf },
  { head: "created", cell: (key) => shown(key.createdAt) },
  { head: "user", cell: (key) => shown(key.userId) },
  { head: "project", cell: (key) => shown(key.projectId) },
];

export function keyCommand(): Command {
  return new Command("key")
    .description(
      "Manage access keys, by which programs act for a user in a project; for administrators.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(
      switchCommand(
        keyKind,
        false,
        "Refuse an access key until it is enabled.",
      ),
    )
    .addCommand(
      switchCommand(keyKind, true, "Let a disabled access key work again."),
    )
    .addCommand(rotate())
    .addCommand(deleteCommand(keyKind, "Delete an access key."));
}

function create(): Command {
  return clientCommand(
    "create <user>",
    "Create an access key for a user. Its secret is shown this once.",
    ["carillon key create ann", "carillon key create ann --project shop"],
  )
    .option(
      "--project <project>",
      "the project it acts in; by default the only one the user may act in",
    )
    .action(
      async (
        user: string,
        options: ClientOptions & { readonly project?: string },
      ) => {
        const http = await connectHttp(options);
        const { id: userId } = await findOne(http, userKind, user);
        const { project } = options;
        const answer = await http.request("POST", "/api/v2/access-keys", {
          userId,
          ...(project !== undefined && {
            projectId: textOf(await findOne(http, projectKind, project), "id"),
          }),
        });
        createOutput(options).result(describeSecret(answer), answer);
      },
    );
}

function list(): Command {
  return clientCommand("list", "List all access keys, without secrets.", [
    "carillon key list",
  ]).action(async (options: ClientOptions) => {
    const keys = await listAll(await connectHttp(options), keyKind);
    createOutput(options).rows(keys, columns, "There are no access keys.");
  });
}

function rotate(): Command {
  return clientCommand(
    "rotate <key>",
    "Give an access key another secret, shown this once; the one before stops working at once. To change keys without a gap create a second one and delete the first. After rotating the key in credentials.json, set CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY.",
    ["carillon key rotate AK3V9QZTM1X8PL5RNE7W"],
  ).action(async (key: string, options: ClientOptions) => {
    const http = await connectHttp(options);
    const path = await pathOfOne(http, keyKind, key);
    const answer = await http.request("POST", `${path}/rotate`);
    createOutput(options).result(describeSecret(answer), answer);
  });
}

function describeSecret(answer: Answer): string {
  return `Access key ${textOf(answer, "accessKey")} has the secret ${textOf(answer, "secretKey")}, which is not shown again.`;
}
