/**
 * The command line: which commands there are, and how their failures end. A
 * command's module is loaded only when it is asked for, so that `--help` and
 * `--version` answer at once.
 */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { CommandFailure } from "./command-failure.ts";

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const entries: readonly Entry[] = [
  {
    name: "serve",
    summary: "run the server",
    load: async () => (await import("./commands/serve.ts")).serveCommand(),
  },
  {
    name: "doctor",
    summary: "check that this machine can run the server",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand(),
  },
  {
    name: "topic",
    summary: "create, list, show, update and delete topics",
    load: async () => (await import("./commands/topic.ts")).topicCommand(),
  },
  {
    name: "subscription",
    summary: "add, list, confirm and delete subscriptions",
    load: async () =>
      (await import("./commands/subscription.ts")).subscriptionCommand(),
  },
  {
    name: "publish",
    summary: "publish a message to a topic's subscribers",
    load: async () => (await import("./commands/publish.ts")).publishCommand(),
  },
  {
    name: "deliveries",
    summary: "show what happened to a message",
    load: async () =>
      (await import("./commands/deliveries.ts")).deliveriesCommand(),
  },
  {
    name: "sms",
    summary: "send a text message to one phone",
    load: async () => (await import("./commands/sms.ts")).smsCommand(),
  },
  {
    name: "user",
    summary: "manage users",
    load: async () => (await import("./commands/user.ts")).userCommand(),
  },
  {
    name: "project",
    summary: "manage projects",
    load: async () => (await import("./commands/project.ts")).projectCommand(),
  },
  {
    name: "domain",
    summary: "manage domains",
    load: async () => (await import("./commands/domain.ts")).domainCommand(),
  },
  {
    name: "key",
    summary: "manage access keys",
    load: async () => (await import("./commands/key.ts")).keyCommand(),
  },
  {
    name: "kms",
    summary: "manage the keys that topics' messages are encrypted with",
    load: async () => (await import("./commands/kms.ts")).kmsCommand(),
  },
  {
    name: "audit",
    summary: "show who logged in and who changed what",
    load: async () => (await import("./commands/audit.ts")).auditCommand(),
  },
  {
    name: "certificate",
    summary: "list and change the certificates that messages are signed with",
    load: async () =>
      (await import("./commands/certificate.ts")).certificateCommand(),
  },
];

/** Runs the command line and answers the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const chosen = chosenCommand(args);
  // A reader that has seen enough (`| head -1`) is no failure; the server goes
  // on without one.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (chosen !== "serve") process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  // There is nowhere left to report it.
  process.stderr.on("error", () => {});
  try {
    const program = await createProgram(chosen);
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return explain(error);
  }
}

/**
 * Builds the program with the named command, or all of them (`"all"`), loaded
 * and the others as names only.
 */
export async function createProgram(
  chosen: string | undefined,
): Promise<Command> {
  const program = new Command("carillon")
    .description(
      "Self-hosted notification service: publish once, deliver everywhere, and know what happened to every message.",
    )
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help; after a command, its own")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    // Beside long names there are 30 columns of 80; Commander leaves them unwrapped.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({ outputError: (text, write) => write(toSentence(text)) })
    .addHelpText(
      "after",
      `
Examples:
  $ carillon serve --sandbox
  $ carillon topic create alerts
  $ carillon subscription add alerts email me@example.com
  $ carillon publish alerts "The disk is full" --wait

Commands find a server on this machine by its data folder (./carillon-data,
or --data), others by CARILLON_URL, CARILLON_ACCESS_KEY and
CARILLON_SECRET_KEY.`,
    );
  for (const { name, summary, load } of entries) {
    const command =
      name === chosen || chosen === "all" ? await load() : new Command(name);
    adopt(program, command.summary(summary));
    program.addCommand(command);
  }
  return program;
}

/** Settings reach commands that were built on their own. */
function adopt(parent: Command, child: Command): void {
  child.copyInheritedSettings(parent);
  for (const command of child.commands) adopt(child, command);
}

function chosenCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  return first === "help" ? second : first;
}

/** Commander's "error: unknown option 'x'\n(Did you mean y?)" as a sentence. */
function toSentence(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)$/, "; did you mean $1?")
    .replace(/([^.?])$/, "$1.");
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}\n`;
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    // Its text was written already; help and version are no failures.
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof CommandFailure) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  // A fault of ours: the stack helps whoever mends it.
  const text = error instanceof Error ? (error.stack ?? error.message) : error;
  process.stderr.write(`Unexpected failure. ${text}\n`);
  return 1;
}

function version(): string {
  // The same place from src/ and from dist/.
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  return (manifest as { version: string }).version;
}
