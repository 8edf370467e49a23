/** `carillon sandbox …` */

import type {
  Sandbox,
  SandboxAttachment,
  SandboxMail,
  SandboxQuery,
  SandboxRequest,
  SandboxText,
} from "@carillon/client";
import { Command } from "commander";
import {
  addExamples,
  type ClientOptions,
  clientCommand,
} from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { sleep } from "../delivery-table.ts";
import { chooseOne } from "../lookup.ts";
import { type Column, createOutput, type Output } from "../output.ts";
import { printable } from "../printable.ts";
import { refuseOptions } from "../refuse-options.ts";
import { explainNoSandbox, linkIn } from "../sandbox-link.ts";
import { withServer } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";
import { ageText, instantText } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

/** How often `--wait` looks. */
const pollMs = 200;

const maxWaitSeconds = 3600;

/** What came to one kind of receiver, and how it is shown. */
interface Inbox<Item extends { readonly id: string }> {
  /** In the singular, with its article. */
  readonly noun: string;
  read(
    sandbox: Sandbox,
    query: SandboxQuery,
    receiver: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly Item[]>;
  readonly columns: readonly Column<Item>[];
  /** All of one, in lines. */
  describe(item: Item): readonly string[];
  /** Where links are looked for. */
  textOf(item: Item): string;
}

const mails: Inbox<SandboxMail> = {
  noun: "mail",
  read: (sandbox, query, _, signal) => sandbox.mails(query, { signal }),
  columns: [
    { head: "id", cell: shortId },
    { head: "to", cell: (one) => one.to.join(", "), max: 28 },
    { head: "subject", cell: (one) => one.subject, wraps: true },
    { head: "age", cell: (one) => ageText(one.receivedAt), align: "right" },
  ],
  describe: (one) => [
    `From:     ${printable(one.from)}`,
    `To:       ${printable(one.to.join(", "))}`,
    `Subject:  ${printable(one.subject)}`,
    `Received: ${instantText(one.receivedAt)}`,
    ...one.attachments.map(
      (file) => `File:     ${printable(attachmentText(file))}`,
    ),
    "",
    ...linesOf(one.text || one.html),
  ],
  textOf: (one) => one.text || one.html,
};

function attachmentText({
  name,
  contentType,
  size,
  contentId,
}: SandboxAttachment): string {
  const inline = contentId === undefined ? "" : `, cid:${contentId}`;
  return `${name} (${contentType}, ${size} bytes${inline})`;
}

const texts: Inbox<SandboxText> = {
  noun: "text",
  read: (sandbox, query, number, signal) =>
    sandbox.texts({ ...query, number }, { signal }),
  columns: [
    { head: "id", cell: shortId },
    { head: "phone", cell: (one) => `+${one.number}` },
    { head: "", cell: (one) => one.direction },
    { head: "text", cell: (one) => one.text, wraps: true },
    { head: "age", cell: (one) => ageText(one.at), align: "right" },
  ],
  describe: (one) => [
    `Phone:    +${one.number}`,
    `At:       ${instantText(one.at)}, ${one.direction} by the phone`,
    "",
    ...linesOf(one.text),
  ],
  textOf: (one) => one.text,
};

const requests: Inbox<SandboxRequest> = {
  noun: "request",
  read: (sandbox, query, name, signal) =>
    sandbox.requests({ ...query, name }, { signal }),
  columns: [
    { head: "id", cell: shortId },
    { head: "webhook", cell: (one) => one.name, max: 20 },
    { head: "status", cell: (one) => String(one.status), align: "right" },
    { head: "body", cell: (one) => one.body, max: 20 },
    { head: "age", cell: (one) => ageText(one.receivedAt), align: "right" },
  ],
  describe: (one) => [
    `Webhook:  ${printable(one.name)}`,
    `Received: ${instantText(one.receivedAt)}`,
    `Answered: ${one.status}`,
    "",
    ...linesOf(one.body),
  ],
  textOf: (one) => one.body,
};

export function sandboxCommand(): Command {
  return new Command("sandbox")
    .description(
      "Look at what came to the receivers that carillon serve --sandbox has built in. They keep the newest 1000 of each kind, and nothing over a restart of the server.",
    )
    .addCommand(
      inbox("mail", "mails", mails, {
        description: "List and show the mails that came.",
        examples: [
          "carillon sandbox mail list",
          "carillon sandbox mail --latest --query ann@example.com --wait 10",
          "carillon subscription confirm $(carillon sandbox mail --link --wait 9)",
        ],
      }),
    )
    .addCommand(
      inbox("phone", "texts", texts, {
        receiver: "number",
        description:
          "List and show the texts that phones got, and write on a phone.",
        examples: [
          "carillon sandbox phone list +15550100100",
          'carillon sandbox phone --latest --query "your code" --wait 10',
          "carillon sandbox phone reply +15550100100 STOP",
        ],
      }).addCommand(reply()),
    )
    .addCommand(
      inbox("webhooks", "requests", requests, {
        receiver: "name",
        description:
          "List and show the requests that webhooks got. Their URLs end in /sandbox/webhooks/ and any name.",
        examples: [
          "carillon sandbox webhooks list",
          "carillon sandbox webhooks hook --latest --wait 10",
        ],
      }),
    );
}

interface ListOptions extends ClientOptions {
  readonly query?: string;
  readonly limit: number;
  readonly latest?: boolean;
  readonly link?: boolean;
  readonly wait?: number;
}

/** `list`, which may be left out, and `show`. */
function inbox<Item extends { readonly id: string }>(
  name: string,
  plural: string,
  kind: Inbox<Item>,
  {
    receiver,
    description,
    examples,
  }: {
    /** What one receiver is given by, if there are several. */
    readonly receiver?: string;
    readonly description: string;
    readonly examples: readonly string[];
  },
): Command {
  const argument = receiver === undefined ? "" : ` [${receiver}]`;
  const list = clientCommand(
    `list${argument}`,
    `List the ${plural}, oldest first; list may be left out.`,
    examples,
  )
    .option(
      "--query <text>",
      "only those with this in recipient, subject or text, in capitals or not",
    )
    .option(
      "--limit <n>",
      "how many at most, the newest",
      wholeNumber(1, 1000),
      20,
    )
    .option("--latest", "show the newest one, with all of it")
    .option(
      "--link",
      "print a link in the newest one: the one to confirm, or the first",
    )
    .option(
      "--wait <seconds>",
      "until there is one; exit code 1 when none came",
      wholeNumber(1, maxWaitSeconds, "seconds"),
    )
    .action(async (...args: readonly unknown[]) => {
      // Commander gives the arguments, then the options, then the command.
      const options = args.at(-2) as ListOptions;
      if (options.latest || options.link) {
        refuseOptions(list, ["limit"], "for a list, not for the newest one");
      }
      const which =
        args.length > 2 ? (args[0] as string | undefined) : undefined;
      await withServer(options, async ({ carillon }) =>
        print(
          kind,
          await find(kind, carillon.sandbox, options, which),
          options,
        ),
      );
    });
  const show = clientCommand(
    "show <id>",
    `Show one, given by its id or the beginning of it.`,
    [`carillon sandbox ${name} show 0198c2f4a1b27c3d`],
  ).action(async (id: string, options: ClientOptions) => {
    await withServer(options, async ({ carillon }) => {
      const all = await kind
        .read(carillon.sandbox, {}, undefined, stopSignal())
        .catch(explainNoSandbox);
      const naming = {
        noun: `sandbox ${name}`,
        word: kind.noun,
        idOf: (one: Item) => one.id,
      };
      const found = chooseOne(all, naming, id);
      printWhole(kind, found, createOutput(options));
    });
  });
  return addExamples(
    new Command(name)
      .description(description)
      .addCommand(list, { isDefault: true })
      .addCommand(show),
    examples,
  );
}

/** @throws CommandFailure when none came in the time */
async function find<Item extends { readonly id: string }>(
  kind: Inbox<Item>,
  sandbox: Sandbox,
  { query, limit, latest, link, wait = 0 }: ListOptions,
  receiver: string | undefined,
): Promise<readonly Item[]> {
  const wanted = { query, limit: latest || link ? 1 : limit };
  const signal = stopSignal();
  const deadline = Date.now() + wait * 1000;
  for (;;) {
    const found = await kind
      .read(sandbox, wanted, receiver, signal)
      .catch(explainNoSandbox);
    if (found.length > 0) return found;
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) break;
    await sleep(Math.min(pollMs, leftMs), signal);
  }
  if (!latest && !link && wait === 0) return [];
  const which = query === undefined ? "" : ` with "${query}" in it`;
  throw new CommandFailure(
    wait > 0
      ? `No ${kind.noun}${which} came within ${wait} s.`
      : `There is no ${kind.noun}${which}; --wait 10 waits for one.`,
  );
}

function print<Item extends { readonly id: string }>(
  kind: Inbox<Item>,
  found: readonly Item[],
  options: ListOptions,
): void {
  const output = createOutput(options);
  const [first] = found;
  if (options.link && first) {
    const link = linkIn(kind.textOf(first));
    if (link === undefined) {
      throw new CommandFailure(`There is no link in the newest ${kind.noun}.`);
    }
    // Alone on its line everywhere, so that a shell can take it.
    process.stdout.write(`${link}\n`);
  } else if (options.latest && first) printWhole(kind, first, output);
  else output.rows(found, kind.columns, "Nothing came yet.");
}

function printWhole<Item extends { readonly id: string }>(
  kind: Inbox<Item>,
  item: Item,
  output: Output,
): void {
  output.lines(kind.describe(item), item);
}

function reply(): Command {
  return clientCommand(
    "reply <number> <text>",
    "Write a text on a phone, to us.",
    [
      "carillon sandbox phone reply +15550100100 STOP",
      'carillon sandbox phone reply +15550100100 "On my way" --to 12345',
    ],
  )
    .option("--to <number>", "which number of ours it is sent to")
    .action(
      async (
        number: string,
        text: string,
        options: ClientOptions & { readonly to?: string },
      ) => {
        const sent = await withServer(options, ({ carillon }) =>
          carillon.sandbox
            .reply(number, text, options.to)
            .catch(explainNoSandbox),
        );
        createOutput(options).result(
          `+${sent.number} sent the text; see carillon inbound list.`,
          sent,
        );
      },
    );
}

/** Long enough to name one of a thousand. */
function shortId({ id }: { readonly id: string }): string {
  return id.slice(0, 16);
}

function linesOf(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/\p{Cc}+/gu, " ").trimEnd());
}
