/** `carillon backup` */

import { createBackup } from "@carillon/server";
import { Command } from "commander";
import { describeBytes, describeRows, runWithProgress } from "../backup-run.ts";
import { addExamples, outputOption } from "../client-options.ts";
import { dataFolder, secretKeyFile } from "../connection.ts";
import { createOutput, type OutputOptions } from "../output.ts";

interface BackupCommandOptions extends OutputOptions {
  readonly data?: string;
  readonly secretKeyFile?: string;
  readonly logs?: boolean;
  readonly force?: boolean;
}

export function backupCommand(): Command {
  return addExamples(
    new Command("backup")
      .argument("<file>", "where the backup goes, outside the data folder")
      .description(
        "Write one file with the database, the key and credentials.json of a data folder, while its server runs or not. The file is checked before it gets its name; it holds all secrets (mode 0600).",
      )
      .option("--data <folder>", "the server's data folder (CARILLON_DATA)")
      .option(
        "--secret-key-file <file>",
        "the server's secret key, where it is not in that folder (CARILLON_SECRET_KEY_FILE)",
      )
      .option(
        "--logs",
        "with the delivery logs of topics, up to 128 MiB each; their deliveries are in the database anyway",
      )
      .option("--force", "replace a file that is there")
      .addOption(outputOption()),
    [
      "carillon backup carillon-2026-01-31.backup",
      "carillon backup /backup/carillon.backup --force --data /var/lib/carillon",
    ],
  ).action(async (file: string, options: BackupCommandOptions) => {
    const { data, logs = false, force = false } = options;
    const made = await runWithProgress((running) =>
      createBackup({
        folder: dataFolder(data === undefined ? {} : { data }, process.env),
        secretKeyFile: secretKeyFile(options, process.env),
        file,
        logs,
        force,
        ...running,
      }),
    );
    createOutput(options).result(
      `Backed up to ${made.file} (${describeBytes(made.bytes)}), checked: ${describeRows(made.rows)}.`,
      made,
    );
  });
}
