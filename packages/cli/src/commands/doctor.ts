/** `carillon doctor`: would the server run here, and does it? */

import {
  type Config,
  ConfigError,
  loadConfig,
  readCredentialsFile,
} from "@carillon/server";
import { Command } from "commander";
import { addExamples, outputOption } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addConfigOptions } from "../config-options.ts";
import type { Finding } from "../doctor/check.ts";
import { checkDisk } from "../doctor/disk.ts";
import { checkHolder } from "../doctor/holder.ts";
import { checkMailServer } from "../doctor/mail-server.ts";
import { checkPermissions } from "../doctor/permissions.ts";
import { checkPort } from "../doctor/port.ts";
import { checkRunningServer } from "../doctor/running-server.ts";
import { checkRuntime } from "../doctor/runtime.ts";
import {
  type Column,
  createOutput,
  type OutputOptions,
  type Style,
} from "../output.ts";
import { stopSignal } from "../stop-signal.ts";

const marks: Readonly<Record<Finding["result"], string>> = {
  ok: "✓",
  warning: "!",
  failed: "✗",
  skipped: "–",
};

const markStyles: Readonly<Record<Finding["result"], Style>> = {
  ok: "green",
  warning: "yellow",
  failed: "red",
  skipped: "dim",
};

const columns: readonly Column<Finding>[] = [
  {
    head: "",
    cell: ({ result }) => marks[result],
    style: ({ result }) => markStyles[result],
  },
  { head: "check", cell: ({ check }) => check },
  { head: "found", cell: ({ found }) => found, wraps: true },
  { head: "what to do", cell: ({ advice = "" }) => advice, wraps: true },
];

export function doctorCommand(): Command {
  const command = addConfigOptions(
    new Command("doctor")
      .description(
        "Check that this machine can run the server with this configuration, and how a running one is. Takes the options of serve. Exit code 1 when something fails.",
      )
      .addOption(outputOption()),
  );
  return addExamples(command, [
    "carillon doctor",
    "carillon doctor --config /etc/carillon.json",
  ]).action(
    async ({ output, ...flags }: Record<string, unknown> & OutputOptions) => {
      const findings = await examine(flags, stopSignal());
      createOutput(output ? { output } : {}).rows(findings, columns, "");
      const failed = findings.filter(({ result }) => result === "failed");
      if (failed.length > 0) {
        throw new CommandFailure(
          failed.length === 1
            ? "One check failed."
            : `${failed.length} checks failed.`,
        );
      }
    },
  );
}

async function examine(
  flags: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = loadConfig({ flags, env: process.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      checkRuntime(),
      ...error.mistakes.map(
        ({ source, problem }): Finding => ({
          check: "configuration",
          result: "failed",
          found: `${source}: ${problem}`,
        }),
      ),
    ];
  }
  const [credentials, url] = await findServer(config);
  const running = await checkRunningServer(url, { signal });
  const isRunning = running[0]?.result === "ok";
  return [
    checkRuntime(),
    { check: "configuration", result: "ok", found: "no mistakes" },
    ...(await checkDisk(config.data, signal)),
    checkPermissions(config.data),
    await checkHolder(config.data),
    ...credentials,
    await checkPort(config.host, config.port, isRunning ? url : undefined),
    await checkMailServer(config.smtpUrl, { signal }),
    ...running,
  ];
}

/** Where a server of this data folder answered last. */
async function findServer(
  config: Config,
): Promise<[readonly Finding[], string | undefined]> {
  const given = process.env.CARILLON_URL?.replace(/\/+$/, "");
  try {
    const credentials = await readCredentialsFile(config.data);
    return [[], given || credentials?.url];
  } catch (error) {
    const finding: Finding = {
      check: "credentials",
      result: "warning",
      found: error instanceof Error ? error.message : String(error),
    };
    return [[finding], given];
  }
}
