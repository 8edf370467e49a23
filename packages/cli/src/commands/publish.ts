/** `carillon publish` */

import {
  type Audience,
  type MessageReport,
  type Messages,
  type Published,
  ResourceNotFoundError,
} from "@carillon/client";
import type { Command } from "commander";
import { acceptedResult } from "../accepted-result.ts";
import { cancelledText } from "../cancelled-message.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { deliveryColumns, failedCount, isSettled } from "../delivery-table.ts";
import { parseJsonObject } from "../file-argument.ts";
import { heldUntil } from "../held-message.ts";
import {
  addMessageOptions,
  type MessageOptions,
  maxTimeToLiveSeconds,
  notBeforeOf,
  settingsOf,
} from "../message-options.ts";
import { createOutput } from "../output.ts";
import { refuseOptions } from "../refuse-options.ts";
import { writeSentence } from "../sentence.ts";
import { type Server, withServer } from "../server.ts";
import {
  howItGoesOn,
  showProgress,
  waitUntilSettled,
} from "../show-progress.ts";
import { stopSignal } from "../stop-signal.ts";
import { textFrom } from "../text-argument.ts";
import { instantText } from "../time-text.ts";
import { topicUrnOf } from "../topic-urn.ts";
import { isUnreached, unreachedText } from "../unreached.ts";
import { wholeNumber } from "../whole-number.ts";

interface PublishOptions extends ClientOptions, MessageOptions {
  readonly topic?: readonly string[];
  readonly subject?: string;
  readonly structure?: Readonly<Record<string, string>>;
  readonly wait?: boolean;
  readonly timeout: number;
}

export function publishCommand(): Command {
  const command = clientCommand(
    "publish [topic] [text]",
    "Publish a message to the subscribers of a topic, given by name or URN, or of several, each of whom gets it once. Without text, or for -, it is read from standard input; for @ and a path, from that file. The exit code is 1 when nobody is subscribed and confirmed; the message is accepted all the same.",
    [
      'carillon publish alerts "The disk is full" --subject "db1"',
      "df -h | carillon publish alerts - --wait",
      'carillon publish --topic alerts --topic builds "The disk is full"',
      'carillon publish alerts "Shipped" --related order=4711 --delay 2h',
      `carillon publish alerts --structure '{"default":"Full","sms":"db1 full"}'`,
    ],
  )
    .option(
      "--topic <topic>",
      "in place of the argument, given twice or more: each of these topics",
      (topic: string, before: readonly string[] = []) => [...before, topic],
    )
    .option("--subject <text>", "subject of e-mails and webhooks")
    .option(
      "--structure <json>",
      "another text per protocol: a JSON object in which default is mandatory, or @ and a file that has it",
      parseJsonObject,
    );
  return addMessageOptions(command)
    .option(
      "--wait",
      "wait until every delivery is settled and show how they go on; exit code 1 when one failed",
    )
    .option(
      "--timeout <seconds>",
      "how long --wait waits",
      wholeNumber(1, maxTimeToLiveSeconds, "seconds"),
      60,
    )
    .action(
      async (
        first: string | undefined,
        second: string | undefined,
        options: PublishOptions,
        command: Command,
      ) => {
        if (!options.wait) refuseOptions(command, ["timeout"], "for --wait");
        const { subject, structure: variants, idempotencyKey } = options;
        const { topics, words } = readArguments(first, second, options.topic);
        if (variants !== undefined && words !== undefined) {
          throw new CommandFailure(
            "Expected a text or --structure, not both: default in it is the text of all that it does not name.",
            2,
          );
        }
        const content =
          variants === undefined
            ? { text: await textFrom(words, "carillon publish <topic>") }
            : { variants };
        await withServer(options, async (server) => {
          const topicUrns: string[] = [];
          for (const topic of topics) {
            topicUrns.push(await topicUrnOf(server.smn, topic));
          }
          const [topicUrn = "", ...others] = topicUrns;
          const audience: Audience =
            others.length > 0
              ? { kind: "topics", topics: topicUrns }
              : { kind: "topic", topicUrn };
          const published = await server.carillon.messages.publish(
            { ...content, ...settingsOf(options), audience, subject },
            { idempotencyKey },
          );
          const show = options.wait ? showDeliveries : showAccepted;
          await show(server, topicUrns, published, options);
        });
      },
    );
}

/**
 * With `--topic` the first argument is the text.
 *
 * @throws CommandFailure
 */
function readArguments(
  first: string | undefined,
  second: string | undefined,
  several: readonly string[] = [],
): { topics: readonly string[]; words: string | undefined } {
  if (several.length === 0) {
    if (first !== undefined) return { topics: [first], words: second };
    throw new CommandFailure(
      "Expected a topic: carillon publish <topic> [text], or --topic for each of several.",
      2,
    );
  }
  if (second !== undefined) {
    throw new CommandFailure(
      `Expected only a text beside --topic, "${first}" and "${second}" were given: name each topic by --topic, or put a text of several words in quotes.`,
      2,
    );
  }
  if (several.length > 1) return { topics: several, words: first };
  throw new CommandFailure(
    `Expected --topic twice or more: one topic is given as carillon publish ${several[0]} [text].`,
    2,
  );
}

/** @throws CommandFailure unless all who are subscribed got it */
async function showDeliveries(
  { smn, carillon: { messages } }: Server,
  topicUrns: readonly string[],
  published: Published,
  options: PublishOptions,
): Promise<void> {
  const { id } = published;
  if (published.isReplayed) {
    writeSentence(acceptedResult(published).message);
  }
  const signal = stopSignal();
  const output = createOutput(options);
  const isLive = !output.json && process.stdout.isTTY;
  const wait = isLive ? showProgress : waitUntilSettled;
  const timeoutMs = options.timeout * 1000;
  const report = await wait(messages, id, timeoutMs, signal).catch(
    (error: unknown) => {
      if (!(error instanceof ResourceNotFoundError)) throw error;
      throw new CommandFailure(
        `Message ${id} is accepted, but only the topic's own project sees its deliveries: there is nothing to wait for here.`,
      );
    },
  );
  if (report && isUnreached(report)) {
    throw new CommandFailure(await unreachedText(smn, topicUrns));
  }
  if (!isLive) {
    const deliveries = messages.deliveries(id, {}, { signal });
    output.rows(await Array.fromAsync(deliveries), deliveryColumns, "");
  }
  if (!report || !isSettled(report)) {
    const until = report && heldUntil(report);
    const why = until
      ? `: it is not sent before ${instantText(until)} UTC`
      : "";
    throw new CommandFailure(
      `Not all deliveries were settled after ${options.timeout} s${why}; ${howItGoesOn(id)}`,
    );
  }
  const cancelled = cancelledText(report);
  if (cancelled !== undefined) {
    throw new CommandFailure(
      `${cancelled}; carillon deliveries ${id} shows what went out.`,
    );
  }
  const failed = failedCount(report);
  if (failed > 0) {
    const total = Object.values(report.counts).reduce((sum, it) => sum + it, 0);
    throw new CommandFailure(
      `${failed} of ${total} deliveries failed; carillon deliveries ${id} --failed shows each attempt.`,
    );
  }
}

/**
 * Says that it was accepted.
 *
 * @throws CommandFailure when nobody gets it
 */
async function showAccepted(
  { smn, carillon }: Server,
  topicUrns: readonly string[],
  published: Published,
  options: PublishOptions,
): Promise<void> {
  const { message, record } = acceptedResult(published, notBeforeOf(options));
  createOutput(options).result(message, record);
  const report = await findReport(carillon.messages, published.id);
  if (report && isUnreached(report)) {
    throw new CommandFailure(await unreachedText(smn, topicUrns));
  }
}

/** `undefined` when it belongs to another project, as its topic does. */
async function findReport(
  messages: Messages,
  id: string,
): Promise<MessageReport | undefined> {
  try {
    return await messages.get(id);
  } catch (error) {
    if (error instanceof ResourceNotFoundError) return undefined;
    throw error;
  }
}
