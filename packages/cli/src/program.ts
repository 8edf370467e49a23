/**
 * The command line: which commands there are, and how their failures end. A
 * command's module is loaded only when it is asked for, so that `--help` and
 * `--version` answer at once.
 */

import { Command, CommanderError, type OutputConfiguration } from "commander";
import { CommandFailure } from "./command-failure.ts";
import { manifest } from "./manifest.ts";
import { NodeWarnings } from "./node-reports.ts";
import { printableLines } from "./printable.ts";
import { toSentence } from "./refusal-sentence.ts";
import { fitSentence, writeSentence } from "./sentence.ts";
import { endOnSignal, onHangUp } from "./stop-signal.ts";

interface Entry {
  readonly name: string;
  /** Heading of the help under which it stands. */
  readonly group: string;
  readonly summary: string;
  readonly load: (warnings?: NodeWarnings) => Promise<Command>;
}

const entries: readonly Entry[] = [
  {
    name: "serve",
    group: "Run a server:",
    summary: "run the server",
    load: async (warnings) =>
      (await import("./commands/serve.ts")).serveCommand(warnings),
  },
  {
    name: "doctor",
    group: "Run a server:",
    summary: "check that this machine can run the server",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand(),
  },
  {
    name: "config",
    group: "Run a server:",
    summary: "show the configuration, and have a server read it again",
    load: async () => (await import("./commands/config.ts")).configCommand(),
  },
  {
    name: "backup",
    group: "Run a server:",
    summary: "write a data folder into one file, also while its server runs",
    load: async () => (await import("./commands/backup.ts")).backupCommand(),
  },
  {
    name: "restore",
    group: "Run a server:",
    summary: "put a backup into a data folder",
    load: async () => (await import("./commands/restore.ts")).restoreCommand(),
  },
  {
    name: "recover",
    group: "Run a server:",
    summary: "make a new access key for the first operator",
    load: async () => (await import("./commands/recover.ts")).recoverCommand(),
  },
  {
    name: "topic",
    group: "Send, and see what became of it:",
    summary: "create, list, show, update and delete topics",
    load: async () => (await import("./commands/topic.ts")).topicCommand(),
  },
  {
    name: "subscription",
    group: "Send, and see what became of it:",
    summary: "create, list, show, confirm, sign and delete subscriptions",
    load: async () =>
      (await import("./commands/subscription.ts")).subscriptionCommand(),
  },
  {
    name: "subscriber",
    group: "Send, and see what became of it:",
    summary: "manage those who fetch messages, and what they follow",
    load: async () =>
      (await import("./commands/subscriber.ts")).subscriberCommand(),
  },
  {
    name: "publisher",
    group: "Send, and see what became of it:",
    summary: "manage those who publish by categories, and publish so",
    load: async () =>
      (await import("./commands/publisher.ts")).publisherCommand(),
  },
  {
    name: "topic-templates",
    group: "Send, and see what became of it:",
    summary: "manage message templates that topics are published to with",
    load: async () =>
      (await import("./commands/topic-templates.ts")).topicTemplatesCommand(),
  },
  {
    name: "templates",
    group: "Send, and see what became of it:",
    summary: "manage what texts and mails are made from",
    load: async () =>
      (await import("./commands/templates.ts")).templatesCommand(),
  },
  {
    name: "publish",
    group: "Send, and see what became of it:",
    summary: "publish a message to a topic's subscribers",
    load: async () => (await import("./commands/publish.ts")).publishCommand(),
  },
  {
    name: "pull",
    group: "Send, and see what became of it:",
    summary: "fetch messages from a mailbox, and confirm them",
    load: async () => (await import("./commands/pull.ts")).pullCommand(),
  },
  {
    name: "sms",
    group: "Send, and see what became of it:",
    summary: "send texts to one phone, list, show, cancel and retry them",
    load: async () => (await import("./commands/sms.ts")).smsCommand(),
  },
  {
    name: "emails",
    group: "Send, and see what became of it:",
    summary: "send mails to one address, list, show, cancel and retry them",
    load: async () => (await import("./commands/emails.ts")).emailsCommand(),
  },
  {
    name: "messages",
    group: "Send, and see what became of it:",
    summary: "list and show what was published",
    load: async () =>
      (await import("./commands/messages.ts")).messagesCommand(),
  },
  {
    name: "deliveries",
    group: "Send, and see what became of it:",
    summary: "show, resend, cancel and settle deliveries of messages",
    load: async () =>
      (await import("./commands/deliveries.ts")).deliveriesCommand(),
  },
  {
    name: "import",
    group: "Send, and see what became of it:",
    summary: "import what other programs sent, such as pymess",
    load: async () => (await import("./commands/import.ts")).importCommand(),
  },
  {
    name: "events",
    group: "Send, and see what became of it:",
    summary: "follow what happens",
    load: async () => (await import("./commands/events.ts")).eventsCommand(),
  },
  {
    name: "jobs",
    group: "Send, and see what became of it:",
    summary: "list, show and cancel actions on many deliveries",
    load: async () => (await import("./commands/jobs.ts")).jobsCommand(),
  },
  {
    name: "inbound",
    group: "Send, and see what became of it:",
    summary: "list and show texts that phones sent",
    load: async () => (await import("./commands/inbound.ts")).inboundCommand(),
  },
  {
    name: "opt-outs",
    group: "Send, and see what became of it:",
    summary: "manage who does not want texts",
    load: async () => (await import("./commands/opt-outs.ts")).optOutsCommand(),
  },
  {
    name: "guards",
    group: "Send, and see what became of it:",
    summary: "show what holds texts before a carrier gets them",
    load: async () => (await import("./commands/guards.ts")).guardsCommand(),
  },
  {
    name: "sandbox",
    group: "Send, and see what became of it:",
    summary: "look at what came to the sandbox's receivers",
    load: async () => (await import("./commands/sandbox.ts")).sandboxCommand(),
  },
  {
    name: "user",
    group: "Administer:",
    summary: "manage users",
    load: async () => (await import("./commands/user.ts")).userCommand(),
  },
  {
    name: "project",
    group: "Administer:",
    summary: "manage projects",
    load: async () => (await import("./commands/project.ts")).projectCommand(),
  },
  {
    name: "domain",
    group: "Administer:",
    summary: "manage domains",
    load: async () => (await import("./commands/domain.ts")).domainCommand(),
  },
  {
    name: "key",
    group: "Administer:",
    summary: "manage access keys",
    load: async () => (await import("./commands/key.ts")).keyCommand(),
  },
  {
    name: "kms",
    group: "Administer:",
    summary: "manage the keys that topics' messages are encrypted with",
    load: async () => (await import("./commands/kms.ts")).kmsCommand(),
  },
  {
    name: "providers",
    group: "Administer:",
    summary: "list, show, test, pause and resume SMS providers",
    load: async () =>
      (await import("./commands/providers.ts")).providersCommand(),
  },
  {
    name: "certificate",
    group: "Administer:",
    summary:
      "list, show and change the certificates that messages are signed with",
    load: async () =>
      (await import("./commands/certificate.ts")).certificateCommand(),
  },
  {
    name: "audit",
    group: "Administer:",
    summary: "show who logged in and who changed what",
    load: async () => (await import("./commands/audit.ts")).auditCommand(),
  },
  {
    name: "login",
    group: "Use this command line:",
    summary: "keep the keys of a server for the commands that follow",
    load: async () => (await import("./commands/login.ts")).loginCommand(),
  },
  {
    name: "logout",
    group: "Use this command line:",
    summary: "forget the keys that a log-in kept",
    load: async () => (await import("./commands/logout.ts")).logoutCommand(),
  },
  {
    name: "context",
    group: "Use this command line:",
    summary: "list, choose, show and delete the servers of log-ins",
    load: async () => (await import("./commands/context.ts")).contextCommand(),
  },
  {
    name: "completion",
    group: "Use this command line:",
    summary: "print a script that completes commands in a shell",
    load: async () =>
      (await import("./commands/completion.ts")).completionCommand(),
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
  // Its stderr is the log's.
  const warnings = chosen === "serve" ? new NodeWarnings() : undefined;
  try {
    // A server has read nothing yet that it could read again.
    if (chosen === "serve") onHangUp(() => {});
    const program = await createProgram(chosen, warnings);
    if (chosen !== "serve") endOnSignal();
    await program.parseAsync(helpArguments(program, args), { from: "user" });
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
  warnings?: NodeWarnings,
): Promise<Command> {
  const program: Command = new Command("carillon")
    .description(
      "Self-hosted notification service: publish once, deliver everywhere, and know what happened to every message.",
    )
    .version(manifest.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help; after a command, its own")
    .helpCommand("help [command...]", "print the help of a command")
    .exitOverride()
    // Beside long names there are 30 columns of 80; Commander leaves them unwrapped.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput(sentences(chosen, () => program))
    .addHelpText(
      "after",
      `
Examples:
  $ carillon serve --sandbox
  $ carillon topic create alerts
  $ carillon subscription create alerts email me@example.com
  $ carillon publish alerts "The disk is full" --wait

Commands find a server on this machine by its data folder (./carillon-data,
or --data), others after carillon login, or by CARILLON_URL,
CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY; carillon context show says
which it is. Exit codes: 0 done, 1 failed, 2 asked for in the wrong way,
130 interrupted.`,
    );
  for (const { name, group, summary, load } of entries) {
    const command =
      name === chosen || chosen === "all"
        ? await load(warnings)
        : new Command(name);
    adopt(program, command.summary(summary).helpGroup(group), chosen);
    program.addCommand(command);
  }
  return program;
}

/** Settings reach commands that were built on their own. */
function adopt(
  parent: Command,
  child: Command,
  chosen: string | undefined,
): void {
  child.copyInheritedSettings(parent);
  child.configureOutput(sentences(chosen, () => child));
  for (const command of child.commands) adopt(child, command, chosen);
}

/** Has what a command refuses said in a sentence, which may name its commands. */
function sentences(
  chosen: string | undefined,
  refusing: () => Command,
): OutputConfiguration {
  return {
    outputError: (text, write) => {
      const sentence = toSentence(text, refusing());
      const isLog = chosen === "serve" && !process.stderr.isTTY;
      write(
        isLog
          ? toLogLine(sentence)
          : `${fitSentence(sentence, process.stderr)}\n`,
      );
    },
  };
}

/**
 * `help topic list` as `topic list --help`. Where a word is no command the
 * request for help is left out, for Commander would print the help of what is
 * above: so the word is refused, with the one that was meant.
 */
function helpArguments(program: Command, args: readonly string[]): string[] {
  const isHelp = (arg: string) => arg === "--help" || arg === "-h";
  const words = args[0] === "help" ? args.slice(1) : args;
  const plain = words.filter((arg) => !isHelp(arg));
  if (args[0] !== "help" && plain.length === args.length) return [...args];
  let command = program;
  for (const word of plain) {
    if (word.startsWith("-") || command.commands.length === 0) break;
    const inner = command.commands.find((one) => one.name() === word);
    // A command may have commands in it, and take an argument in their place.
    if (!inner && command.registeredArguments.length > 0) break;
    if (!inner) return plain;
    command = inner;
  }
  return args[0] === "help" ? [...plain, "--help"] : [...args];
}

function chosenCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  return first === "help" ? second : first;
}

/** As the log of `serve` has it, which has not begun yet. */
function toLogLine(sentence: string): string {
  const time = new Date().toISOString();
  const message = sentence.trimEnd();
  const line = { level: "error", time, message, event: "start_failed" };
  return `${JSON.stringify(line)}\n`;
}

/** Told by its code: the class would load all of the server. */
function listsMistakes(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    "code" in cause &&
    cause.code === "CONFIGURATION_INVALID"
  );
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    // Its text was written already; help and version are no failures.
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof CommandFailure) {
    // A sentence may quote what others wrote.
    const lists = listsMistakes(error.cause) ? "wrapped" : "kept";
    writeSentence(printableLines(error.message), process.stderr, lists);
    return error.exitCode;
  }
  // A fault of ours: the stack helps whoever mends it.
  const text = error instanceof Error ? (error.stack ?? error.message) : error;
  process.stderr.write(`Unexpected failure. ${text}\n`);
  return 1;
}
