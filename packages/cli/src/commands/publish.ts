/** `carillon publish` */

import type { Delivery, Messages } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import {
  deliveryColumns,
  failedStates,
  waitUntilSettled,
} from "../delivery-table.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";
import { textFrom } from "../text-argument.ts";
import { topicUrnOf } from "../topic-urn.ts";
import { wholeNumber } from "../whole-number.ts";

/** The most that the server takes as `time_to_live`: a week. */
const maxTtlSeconds = 604_800;

interface PublishOptions extends ClientOptions {
  readonly subject?: string;
  readonly structure?: string;
  readonly ttl?: number;
  readonly wait?: boolean;
  readonly timeout: number;
}

export function publishCommand(): Command {
  return clientCommand(
    "publish <topic> [text]",
    "Publish a message to the subscribers of a topic, given by name or URN. Without text, or with -, it is read from standard input.",
    [
      'carillon publish alerts "The disk is full" --subject "db1"',
      "df -h | carillon publish alerts - --wait",
      `carillon publish alerts --structure '{"default":"Full","sms":"db1 full"}'`,
    ],
  )
    .option("--subject <text>", "subject of e-mails and webhooks")
    .option(
      "--structure <json>",
      "another text per protocol: a JSON object in which default is mandatory",
    )
    .option(
      "--ttl <seconds>",
      "not delivered after that long",
      wholeNumber(1, maxTtlSeconds, "seconds"),
    )
    .option(
      "--wait",
      "wait until every delivery is settled and show them; exit code 1 when one failed",
    )
    .option(
      "--timeout <seconds>",
      "how long --wait waits",
      wholeNumber(1, maxTtlSeconds, "seconds"),
      60,
    )
    .action(
      async (
        topic: string,
        words: string | undefined,
        options: PublishOptions,
      ) => {
        const { subject, structure, ttl } = options;
        const content =
          structure === undefined
            ? { message: await textFrom(words, "carillon publish <topic>") }
            : { messageStructure: structure };
        await withServer(options, async ({ smn, carillon }) => {
          const { messageId: id } = await smn.publishMessage(
            await topicUrnOf(smn, topic),
            { ...content, subject, timeToLive: ttl },
          );
          if (options.wait) {
            await showDeliveries(carillon.messages, id, options);
            return;
          }
          createOutput(options).result(
            `Message ${id} is accepted; see carillon deliveries ${id}.`,
            { message_id: id },
          );
        });
      },
    );
}

async function showDeliveries(
  messages: Messages,
  id: string,
  options: PublishOptions,
): Promise<void> {
  const signal = stopSignal();
  const progress = `carillon deliveries ${id} shows how they go on.`;
  let settled: boolean;
  let deliveries: readonly Delivery[];
  try {
    const timeoutMs = options.timeout * 1000;
    settled = await waitUntilSettled(messages, id, timeoutMs, signal);
    deliveries = await Array.fromAsync(messages.deliveries(id, {}, { signal }));
  } catch (error) {
    if (error !== signal.reason || !(error instanceof CommandFailure)) {
      throw error;
    }
    throw new CommandFailure(`Interrupted; ${progress}`, error.exitCode);
  }
  createOutput(options).rows(
    deliveries,
    deliveryColumns,
    "The topic has no confirmed subscription: nobody received it.",
  );
  if (!settled) {
    throw new CommandFailure(
      `Not all deliveries were settled after ${options.timeout} s; ${progress}`,
    );
  }
  const failed = deliveries.filter(({ state }) => failedStates.includes(state));
  if (failed.length > 0) {
    throw new CommandFailure(
      `${failed.length} of ${deliveries.length} deliveries failed.`,
    );
  }
}
