/** `carillon recover`: back in, when no key or password works any more. */

import { type Recovered, recoverOperator } from "@carillon/server";
import { Command } from "commander";
import { addExamples, outputOption } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { dataFolder, secretKeyFile } from "../connection.ts";
import { createLogger } from "../logger.ts";
import { createOutput, type OutputOptions } from "../output.ts";

interface RecoverOptions extends OutputOptions {
  readonly data?: string;
  readonly secretKeyFile?: string;
  readonly password?: boolean;
}

export function recoverCommand(): Command {
  const command = new Command("recover")
    .description(
      "Make a new access key for the first operator, enable it if it was disabled, and write credentials.json anew. Works on the data folder while no server uses it; the keys there are stay as they are. The audit log has an entry of it.",
    )
    .option("--data <folder>", "the server's data folder (CARILLON_DATA)")
    .option(
      "--secret-key-file <file>",
      "the server's secret key, where it is not in that folder (CARILLON_SECRET_KEY_FILE)",
    )
    .option("--password", "set another password, made up, too")
    .addOption(outputOption());
  return addExamples(command, [
    "carillon recover",
    "carillon recover --data /var/lib/carillon --password",
  ]).action(async (options: RecoverOptions) => {
    const folder = dataFolder(options, process.env);
    const recovered = await recover({
      folder,
      secretKeyFile: secretKeyFile(options, process.env),
      password: options.password === true,
    });
    createOutput(options).result(describe(recovered, folder), recovered);
    if (recovered.notKept !== undefined) {
      throw new CommandFailure(
        `They are in force, but credentials.json could not be written (${recovered.notKept}): keep them yourself.`,
      );
    }
  });
}

/** @throws CommandFailure while a server runs, or without usable data */
async function recover(
  options: Omit<Parameters<typeof recoverOperator>[0], "logger">,
): Promise<Recovered> {
  const logger = createLogger({ level: "warn" });
  try {
    return await recoverOperator({ ...options, logger });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new CommandFailure(error.message, 1, { cause: error });
  }
}

function describe(
  { user, project, accessKey, secretKey, notKept }: Recovered,
  folder: string,
): string {
  return [
    `${user.name} has a new access key; it is shown once${notKept === undefined ? ", and kept in" : "."}`,
    ...(notKept === undefined
      ? [`${folder}/credentials.json. The next start works with it.`]
      : []),
    `  project     ${project.name} (${project.id})`,
    ...(user.password === undefined ? [] : [`  password    ${user.password}`]),
    `  access key  ${accessKey}`,
    `  secret key  ${secretKey}`,
  ].join("\n");
}
