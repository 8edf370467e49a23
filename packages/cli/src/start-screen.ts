/**
 * What `serve` shows on a terminal once it is ready: where it is, who may log
 * in (once), what to do next, and what is not set up. Fits 80 columns and 24
 * lines.
 */

import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import {
  type Config,
  credentialsFileName,
  type FirstCredentials,
  isLoopback,
} from "@carillon/server";

/** What the screen speaks of. */
export interface StartFacts {
  /** Where this machine reaches the server. */
  readonly url: string;
  readonly config: Config;
  /** Only at the first start. */
  readonly credentials?: FirstCredentials | undefined;
  /** Variables that would have counted at the first start. */
  readonly ignoredPresets: readonly string[];
  /** Where the user types. */
  readonly folder: string;
}

/** The screen, with a line break at its end. */
export function startScreen(facts: StartFacts): string {
  const parts = [
    [`Carillon is ready at ${facts.url} (Ctrl-C stops it).`],
    ...(facts.credentials ? firstStart(facts, facts.credentials) : []),
    section("Not set up:", notSetUp(facts)),
    section("Mind:", cautions(facts)),
  ].filter((part) => part.length > 0);
  const gap = facts.credentials ? "\n\n" : "\n";
  return `${parts.map((part) => part.join("\n")).join(gap)}\n`;
}

function section(head: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [head, ...lines.map((line) => `  ${line}`)];
}

function firstStart(
  { config, folder }: StartFacts,
  { user, project, accessKey, secretKey }: FirstCredentials,
): readonly (readonly string[])[] {
  const file = pathFrom(folder, join(config.data, credentialsFileName));
  return [
    section("Who you are; shown this once:", [
      `user        ${user.name}, who may do everything`,
      `password    ${user.password}`,
      `project     ${project.name} (${project.id})`,
      `access key  ${accessKey}`,
      `secret key  ${secretKey}`,
      `kept in     ${file}`,
    ]),
    section(
      "What to do next, in another terminal:",
      nextCommands(config, folder),
    ),
  ];
}

/** As they are typed in that folder. */
function nextCommands(config: Config, folder: string): readonly string[] {
  const program = findsByNpx(folder) ? "npx carillon" : "carillon";
  const isFound = resolve(folder, "carillon-data") === config.data;
  return [
    ...(isFound
      ? []
      : [`export CARILLON_DATA=${quote(pathFrom(folder, config.data))}`]),
    `${program} topic create alerts`,
    ...subscribing(config, program),
    `${program} publish alerts "The disk is full" --wait`,
  ];
}

/** Nobody is sent messages before the receiver has confirmed. */
function subscribing(
  { smtpUrl, sandbox }: Config,
  program: string,
): readonly string[] {
  const create = `${program} subscription create alerts`;
  if (smtpUrl !== undefined) {
    return [
      `${create} email me@example.com`,
      "# open the link in the mail that comes, to confirm; then",
    ];
  }
  return sandbox
    ? [
        `${create} email me@example.com`,
        `${program} subscription confirm $(${program} sandbox mail --link --wait 9)`,
      ]
    : [
        `${create} https https://example.com/hook`,
        "# open the link that was posted there, to confirm; then",
      ];
}

function notSetUp({ config, url }: StartFacts): readonly string[] {
  const { smtpUrl, sandbox, publicUrl, sms, email } = config;
  const [first] = sms.providers;
  const texts = typeof first === "string" ? withoutCarrier[first] : undefined;
  return [
    ...(email.backend === "debug"
      ? ["mail server  mails are not sent: CARILLON_EMAIL_BACKEND is debug"]
      : smtpUrl === undefined && !sandbox
        ? ["mail server  no e-mail can be sent: set CARILLON_SMTP_URL"]
        : []),
    ...(texts !== undefined && !sandbox
      ? [`SMS carrier  ${texts}: set CARILLON_SMS_PROVIDERS`]
      : []),
    ...(publicUrl === undefined
      ? [
          `public URL   links lead to ${new URL(url).hostname}: set CARILLON_PUBLIC_URL`,
        ]
      : []),
  ];
}

/** What becomes of texts, by a provider that is no carrier. */
const withoutCarrier: Readonly<Record<string, string>> = {
  log: "texts are only logged",
  null: "texts are dropped",
  loopback: "texts go to simulated phones",
};

function cautions({ config, ignoredPresets }: StartFacts): readonly string[] {
  const { host, publicUrl, sandbox } = config;
  return [
    ...(sandbox
      ? [
          "the sandbox is on: mails and texts stay here, and are gone at its end",
        ]
      : []),
    ...(sandbox && publicUrl === undefined && !isLoopback(host)
      ? [`others reach ${host}, and links lead to this machine only`]
      : []),
    // One a line: their names are long.
    ...ignoredPresets.map((name) => `${name} counts at the first start only`),
  ];
}

/** Whether `npx carillon` runs there: the folder, or one above, has it. */
function findsByNpx(folder: string): boolean {
  const parent = dirname(folder);
  return (
    existsSync(join(folder, "node_modules", ".bin", "carillon")) ||
    (parent !== folder && findsByNpx(parent))
  );
}

/** The path as it is typed in the folder, if it lies below. */
function pathFrom(folder: string, path: string): string {
  const short = relative(folder, path);
  return short === "" || short.startsWith("..") ? path : short;
}

/** For a shell. */
function quote(path: string): string {
  return /^[\w./:@%+=-]+$/.test(path)
    ? path
    : `'${path.replaceAll("'", "'\\''")}'`;
}
