/** `carillon key …` */

import type { AccessKeyWithSecret } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  deleteCommand,
  findId,
  findOne,
  keyKind,
  listCommand,
  projectKind,
  showCommand,
  switchCommand,
  userKind,
} from "../identity.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";

export function keyCommand(): Command {
  return new Command("key")
    .description(
      "Manage access keys, by which programs act for a user in a project; for administrators. A key is given in full or by its start.",
    )
    .addCommand(create())
    .addCommand(
      listCommand(keyKind, {
        about: "List all access keys, without secrets.",
        whenNone: "There are no access keys.",
      }),
    )
    .addCommand(
      showCommand(keyKind, "Show one access key, without its secret."),
    )
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
        const { project } = options;
        const key = await withServer(options, async ({ carillon }) => {
          const { id, domainId } = await findOne(carillon, userKind, user);
          return await carillon.accessKeys.create({
            userId: id,
            projectId:
              project === undefined
                ? undefined
                : await findId(carillon, projectKind, project, domainId),
          });
        });
        createOutput(options).result(describeSecret(key), key);
      },
    );
}

function rotate(): Command {
  return clientCommand(
    "rotate <key>",
    "Give an access key another secret, shown this once; the one before stops working at once. To change keys without a gap create a second one and delete the first. credentials.json follows when it is the key there.",
    ["carillon key rotate AK3V9QZTM1X8PL5RNE7W"],
  ).action(async (accessKey: string, options: ClientOptions) => {
    const key = await withServer(options, async ({ carillon }) =>
      carillon.accessKeys.rotate(await findId(carillon, keyKind, accessKey)),
    );
    createOutput(options).result(describeSecret(key), key);
  });
}

function describeSecret({ accessKey, secretKey }: AccessKeyWithSecret): string {
  return `Access key ${accessKey} has the secret ${secretKey}, which is not shown again.`;
}
