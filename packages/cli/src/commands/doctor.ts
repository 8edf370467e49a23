/** `carillon doctor`: would the server run here, and does it? */

import {
  type Config,
  ConfigError,
  type Credentials,
  dkimRecordOf,
  loadConfig,
  readCredentialsFile,
  toConfiguredEmail,
} from "@carillon/server";
import { Command } from "commander";
import { addExamples, outputOption } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addConfigOptions } from "../config-options.ts";
import { checkBounces } from "../doctor/bounces.ts";
import { checkCarrierCalls } from "../doctor/carrier-calls.ts";
import type { Finding } from "../doctor/check.ts";
import { checkYear } from "../doctor/clock.ts";
import { checkCredentials } from "../doctor/credentials.ts";
import { checkData } from "../doctor/data.ts";
import { checkDisk } from "../doctor/disk.ts";
import { checkDkim } from "../doctor/dkim.ts";
import { checkHolder, findHolder } from "../doctor/holder.ts";
import { checkLinks } from "../doctor/links.ts";
import { checkMailServer } from "../doctor/mail-server.ts";
import { checkPermissions } from "../doctor/permissions.ts";
import { checkPort } from "../doctor/port.ts";
import { checkPublicUrl } from "../doctor/public-url.ts";
import { formatFindings } from "../doctor/report.ts";
import { isSandbox } from "../doctor/running-sandbox.ts";
import {
  findRunningServer,
  type RunningServer,
} from "../doctor/running-server.ts";
import { checkRuntime } from "../doctor/runtime.ts";
import { createOutput, type OutputOptions } from "../output.ts";
import { stopSignal } from "../stop-signal.ts";

export function doctorCommand(): Command {
  const command = addConfigOptions(
    new Command("doctor")
      .description(
        "Check that this machine can run the server with this configuration, that its data are whole, that its links and public URL lead to it, and how a running one is. Takes the options of serve. Exit code 1 when something fails; warnings do not count.",
      )
      .addOption(outputOption()),
  );
  return addExamples(command, [
    "carillon doctor",
    "carillon doctor --config /etc/carillon.json",
  ]).action(
    async ({
      output: format,
      ...flags
    }: Record<string, unknown> & OutputOptions) => {
      const { findings, summary } = await examine(flags, stopSignal());
      const output = createOutput(format ? { output: format } : {});
      if (output.json) output.rows(findings, [], "");
      else {
        process.stdout.write(`${formatFindings(findings, process.stdout)}\n`);
      }
      if (summary !== undefined) throw new CommandFailure(summary);
    },
  );
}

interface Examination {
  readonly findings: readonly Finding[];
  /** A sentence for people when something failed. */
  readonly summary: string | undefined;
}

async function examine(
  flags: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Examination> {
  let config: Config;
  try {
    config = loadConfig({ flags, env: process.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return explainMistakes(error.mistakes);
  }
  const findings = await examineConfigured(config, signal);
  const failed = findings.filter(({ result }) => result === "failed").length;
  return {
    findings,
    summary:
      failed === 0
        ? undefined
        : failed === 1
          ? "One check failed."
          : `${failed} checks failed.`,
  };
}

/** With a wrong configuration the other checks would look at a wrong place. */
function explainMistakes(mistakes: ConfigError["mistakes"]): Examination {
  const count =
    mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
  return {
    findings: [
      checkRuntime(),
      ...mistakes.map(
        ({ source, problem }): Finding => ({
          check: "configuration",
          result: "failed",
          found: `${source}: ${problem}`,
        }),
      ),
    ],
    summary: `The configuration has ${count}: mend it, and run this again for the other checks.`,
  };
}

async function examineConfigured(
  config: Config,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { data, secretKeyFile, host, port, publicUrl, region } = config;
  const [unreadable, credentials] = await readCredentials(data);
  const holder = await findHolder(data);
  // Without its process nobody serves the folder: what answers is another's.
  const running: RunningServer = holder?.isAlive
    ? await findRunningServer(placesOf(config, credentials?.url), { signal })
    : { findings: [nobodyServes] };
  const { url, instance } = running;
  return [
    checkRuntime(),
    ...checkYear(),
    { check: "configuration", result: "ok", found: "no mistakes" },
    ...(await checkDisk(data, signal)),
    checkPermissions(data),
    checkHolder(holder, url),
    ...(await checkData(data, { region, secretKeyFile, signal })),
    await checkPort(host, port, url),
    ...running.findings,
    unreadable ?? (await checkCredentials(credentials, url, { signal })),
    checkLinks(config),
    ...checkCarrierCalls(config),
    ...(await checkPublicUrl(publicUrl, { signal, instance })),
    await checkMailServer(
      {
        ...config,
        sandbox:
          config.sandbox || (await isSandbox(credentials, url, { signal })),
        ca: toConfiguredEmail(config).tls?.ca,
      },
      { signal },
    ),
    ...(await checkDkim(dkimRecordOf(config), config.mailFrom, { signal })),
    ...(await checkBounces(config.email.bounces, { signal })),
  ];
}

const nobodyServes: Finding = {
  check: "running server",
  result: "skipped",
  found: "none uses the data folder",
};

/** Where this machine reaches a server of the data folder, likeliest first. */
function placesOf(
  { host, port, publicUrl }: Config,
  lastUrl: string | undefined,
): readonly string[] {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere || host === "localhost" ? "127.0.0.1" : host;
  const configured = `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
  // The public URL leads through a proxy: it has a check of its own.
  const last = lastUrl === publicUrl ? undefined : lastUrl || undefined;
  const places = [last, port === 0 ? undefined : configured];
  return [
    ...new Set(
      places
        .filter((place) => place !== undefined)
        .map((place) => place.replace(/\/+$/, "")),
    ),
  ];
}

async function readCredentials(
  folder: string,
): Promise<[Finding | undefined, Credentials | undefined]> {
  try {
    return [undefined, await readCredentialsFile(folder)];
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return [{ check: "credentials", result: "warning", found }, undefined];
  }
}
