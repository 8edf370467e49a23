/** `carillon restore` */

import { restoreBackup } from "@carillon/server";
import { Command } from "commander";
import { describeRows, runWithProgress } from "../backup-run.ts";
import { addExamples, outputOption } from "../client-options.ts";
import { dataFolder } from "../connection.ts";
import { createOutput, type OutputOptions } from "../output.ts";

interface RestoreCommandOptions extends OutputOptions {
  readonly data?: string;
  readonly force?: boolean;
}

export function restoreCommand(): Command {
  return addExamples(
    new Command("restore")
      .argument("<file>", "a file that carillon backup wrote")
      .description(
        "Put a backup into a data folder that no server uses. All of the file is checked before the folder changes.",
      )
      .option("--data <folder>", "the data folder (CARILLON_DATA)")
      .option(
        "--force",
        "also into a folder with data, which are kept aside in a folder inside it",
      )
      .addOption(outputOption()),
    [
      "carillon restore carillon-2026-01-31.backup --data /var/lib/carillon",
      "carillon restore carillon.backup --force",
    ],
  ).action(async (file: string, options: RestoreCommandOptions) => {
    const { data, force = false } = options;
    const restored = await runWithProgress((running) =>
      restoreBackup({
        folder: dataFolder(data === undefined ? {} : { data }, process.env),
        file,
        force,
        ...running,
      }),
    );
    const { folder, version, createdAt, rows, keptIn } = restored;
    createOutput(options).result(
      [
        `Restored into ${folder}: the state of ${createdAt}, made by Carillon ${version}, with ${describeRows(rows)}.`,
        ...(keptIn ? [`What was there before is in ${keptIn}.`] : []),
        "Start the server when you like: what was waiting to be delivered then goes out.",
      ].join("\n"),
      restored,
    );
  });
}
