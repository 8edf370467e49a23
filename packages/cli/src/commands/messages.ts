/** `carillon messages …` */

import {
  deliveryStates,
  type MessageQuery,
  type MessageReport,
  type Messages,
  type RelatedObject,
} from "@carillon/client";
import { Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { countsText, failedCount, sleep } from "../delivery-table.ts";
import { heldUntil } from "../held-message.ts";
import { messageLines } from "../message-details.ts";
import { findMessageId, shortMessageId } from "../message-id.ts";
import { parseRelated } from "../message-options.ts";
import { type Column, createOutput, layoutFor } from "../output.ts";
import { printable } from "../printable.ts";
import { withServer } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";
import { ageText, instantText, parseSince } from "../time-text.ts";
import { topicNameOf, topicUrnOf } from "../topic-urn.ts";
import { wholeNumber } from "../whole-number.ts";

/** How often `--follow` looks for new messages. */
const followMs = 1000;

/**
 * Among how many of the newest it looks: an older message comes to be in a
 * state after newer ones.
 */
const window = 100;

const columns: readonly Column<MessageReport>[] = [
  { head: "id", cell: shortMessageId },
  { head: "topic", cell: topicsText, max: 14 },
  { head: "subject or text", cell: titleOf, max: 18 },
  {
    head: "deliveries",
    cell: stageText,
    style: (one) => (failedCount(one) > 0 ? "red" : undefined),
    wraps: true,
  },
  { head: "age", cell: (one) => ageText(one.acceptedAt), align: "right" },
];

export function messagesCommand(): Command {
  return new Command("messages")
    .description(
      "List and show what was published, with what became of it. A message is given by its id, or by 8 digits or more of its beginning.",
    )
    .addCommand(list())
    .addCommand(show());
}

interface ListOptions extends ClientOptions {
  readonly topic?: string;
  readonly state?: string;
  readonly tag?: string;
  readonly related?: RelatedObject;
  readonly since?: Date;
  readonly limit: number;
  readonly follow?: boolean;
}

function list(): Command {
  return clientCommand("list", "List the project's messages, newest first.", [
    "carillon messages list",
    "carillon messages list --topic alerts --state failed --since 2h",
    "carillon messages list --tag orders --related order=4711",
    "carillon messages list --follow",
  ])
    .option("--topic <topic>", "only of this topic, by name or URN")
    .addOption(
      new Option(
        "--state <state>",
        "only those with a delivery in this state",
      ).choices(deliveryStates),
    )
    .option("--tag <tag>", "only those with this tag")
    .option(
      "--related <type=id>",
      "only those about this object, such as order=4711",
      parseRelated,
    )
    .option(
      "--since <time>",
      "only those accepted since: 90s, 30min, 2h, 7d ago, or an instant",
      (text: string) => parseSince(text),
    )
    .option("--limit <n>", "how many at most", wholeNumber(1, 1_000_000), 20)
    .option("--follow", "then go on with those that come, until Ctrl-C")
    .action(async (options: ListOptions) => {
      const { limit, state, tag, since, follow } = options;
      const { related: relatedObject } = options;
      const output = createOutput(options);
      await withServer(options, async ({ smn, carillon: { messages } }) => {
        const { topic } = options;
        const topicUrn =
          topic === undefined ? undefined : await topicUrnOf(smn, topic);
        const query = { topicUrn, state, tag, relatedObject, since };
        const signal = stopSignal();
        if (!follow) {
          const found = await newest(messages, query, limit, signal);
          output.rows(found, columns, "There are no such messages.");
          return;
        }
        const most = Math.max(limit, window);
        const found = await newest(messages, query, most, signal);
        const shown = found.slice(0, limit).toReversed();
        output.rows(shown, columns, "There are no such messages yet.");
        const seen = new Set(found.map(({ id }) => id));
        for (;;) {
          await sleep(followMs, signal);
          const fresh = await unseen(messages, query, seen, signal);
          for (const one of fresh.toReversed()) {
            output.lines([lineOf(one)], one);
          }
        }
      });
    });
}

function show(): Command {
  return clientCommand(
    "show <message>",
    "Show all of one message. Its deliveries are shown by carillon deliveries.",
    ["carillon messages show 0198c2f4a1b27c3d"],
  ).action(async (message: string, options: ClientOptions) => {
    const found = await withServer(
      options,
      async ({ carillon: { messages } }) =>
        messages.get(await findMessageId(messages, message)),
    );
    const { width } = layoutFor(process.stdout);
    createOutput(options).lines(messageLines(found, { width }), found);
  });
}

async function newest(
  messages: Messages,
  query: MessageQuery,
  limit: number,
  signal: AbortSignal,
): Promise<MessageReport[]> {
  const found: MessageReport[] = [];
  const pageSize = Math.min(limit, 1000);
  for await (const one of messages.list({ ...query, pageSize }, { signal })) {
    found.push(one);
    if (found.length === limit) break;
  }
  return found;
}

/** Newest first; from then on they are seen. */
async function unseen(
  messages: Messages,
  query: MessageQuery,
  seen: Set<string>,
  signal: AbortSignal,
): Promise<MessageReport[]> {
  const found: MessageReport[] = [];
  const pages = messages.list({ ...query, pageSize: window }, { signal });
  let looked = 0;
  for await (const one of pages) {
    looked++;
    if (!seen.has(one.id)) found.push(one);
    else if (looked >= window) break;
    seen.add(one.id);
  }
  return found;
}

function topicsText({ topicName, topicUrns }: MessageReport): string {
  return topicName ?? topicUrns?.map(topicNameOf).join(", ") ?? "";
}

/** How many deliveries are in each state, or when there will be any. */
function stageText(one: MessageReport): string {
  if (one.cancelled) return "cancelled";
  const until = heldUntil(one);
  if (until !== undefined) return `not before ${instantText(until)}`;
  return countsText(one.counts) || (one.fannedOut ? "none" : "none yet");
}

/** The subject, or the first words. */
function titleOf({ subject, excerpt, kind = "" }: MessageReport): string {
  return subject || excerpt || (kind === "text" ? "" : `(${kind})`);
}

function lineOf(one: MessageReport): string {
  const parts = [
    shortMessageId(one),
    topicsText(one),
    titleOf(one),
    stageText(one),
  ];
  return parts
    .map(printable)
    .filter((part) => part !== "")
    .join("  ");
}
