/** What the commands that send a stored message have in common. */

import type {
  JsonObject,
  StoredMessage,
  TemplateSending,
} from "@carillon/client";
import type { Command } from "commander";
import type { ClientOptions } from "./client-options.ts";
import { CommandFailure } from "./command-failure.ts";
import { deliveryLines } from "./delivery-details.ts";
import { parseJsonObject } from "./file-argument.ts";
import { heldText } from "./held-message.ts";
import { type CommonOptions, commonSettingsOf } from "./message-options.ts";
import { createOutput, layoutFor } from "./output.ts";
import type { StoredKind } from "./stored-kind.ts";
import { aheadText } from "./time-text.ts";
import { wholeNumber } from "./whole-number.ts";

/** The most that the server waits, in seconds. */
const maxWaitSeconds = 30;

export interface StoredSendOptions extends ClientOptions, CommonOptions {
  readonly backend?: string;
  readonly sendImmediately?: true;
  readonly template?: string;
  readonly templateContext?: JsonObject;
  /** True: as long as the server waits at most. */
  readonly wait?: number | true;
}

/** Adds the options to a command. */
export function addStoredOptions(command: Command): Command {
  return command
    .option(
      "--template <slug>",
      "what this template makes of --template-context",
    )
    .option(
      "--template-context <json>",
      "what the template's variables stand for: a JSON object, or @ and a file that has it",
      parseJsonObject,
    )
    .option("--backend <name>", "it goes through this provider alone")
    .option("--send-immediately", "do not leave it to the batch sender")
    .option(
      "--wait [seconds]",
      `wait for the outcome of the first attempt, ${maxWaitSeconds} s or as long as it says; exit code 1 when it failed, 3 when another attempt is made later`,
      wholeNumber(0, maxWaitSeconds, "seconds"),
    );
}

/** The settings of the message that was asked for. */
export function storedSettingsOf(options: StoredSendOptions) {
  const { backend, sendImmediately, wait } = options;
  return {
    ...commonSettingsOf(options),
    backend,
    sendImmediately,
    waitSeconds: wait === true ? maxWaitSeconds : wait,
  };
}

/**
 * The template that was asked for; `undefined` when none was.
 *
 * @throws CommandFailure
 */
export function templateOf({
  template,
  templateContext: context,
}: StoredSendOptions):
  | { readonly slug: string; readonly context?: JsonObject }
  | undefined {
  if (template === undefined) {
    if (context === undefined) return undefined;
    throw new CommandFailure("--template-context is for --template.", 2);
  }
  return {
    slug: template,
    ...(context !== undefined && { context }),
  };
}

/**
 * Says what came of it: a sentence, or with `--wait` its history.
 *
 * @throws CommandFailure when it was not sent, or with `--wait` did not arrive; of
 * exit code 3 when it is attempted again
 */
export function tellSent(
  sending: TemplateSending | { readonly message: StoredMessage },
  kind: StoredKind,
  options: StoredSendOptions,
): void {
  const output = createOutput(options);
  if (!sending.message) {
    const why = sending.refusals.map((it) => refusalTexts[it] ?? it);
    throw new CommandFailure(`The template was not sent: ${why.join("; ")}.`);
  }
  const { message } = sending;
  // `carillon deliveries` and `carillon messages` go by the message's own id.
  const record = { message_id: message.delivery.messageId, ...message };
  if (options.wait === undefined) {
    output.result(acceptedText(message, kind), record);
    return;
  }
  output.lines(
    deliveryLines(message.delivery, layoutFor(process.stdout)),
    record,
  );
  const { state, delivery } = message;
  if (state === "retrying") {
    throw new CommandFailure(notYetText(delivery, kind), notYetCode);
  }
  if (message.isFailure || message.failed) {
    throw new CommandFailure(
      `The ${kind.word} was not sent; see carillon ${kind.noun} show ${message.id}.`,
    );
  }
}

/** Exit code: it is not sent yet, and goes on. */
const notYetCode = 3;

function notYetText(
  { nextAttemptAt, waitReason }: StoredMessage["delivery"],
  { noun, word }: StoredKind,
): string {
  const batch = waitReason?.endsWith("_batch") ?? false;
  const next = batch
    ? `carillon ${noun} send-batch makes the next attempt`
    : nextAttemptAt === undefined
      ? "another attempt is made"
      : `the next attempt is ${aheadText(nextAttemptAt)}`;
  return `The ${word} is not sent yet: ${next}.`;
}

const refusalTexts: Readonly<Record<string, string>> = {
  inactive: "it is not active",
  duplicate: "it was sent about the same objects before",
  disallowed: "it may not be sent about one of the objects",
};

function acceptedText(
  { id, isReplayed, notBefore }: StoredMessage,
  { noun, word }: StoredKind,
): string {
  const look = `see carillon ${noun} show ${id}.`;
  if (isReplayed) {
    return `The ${word} was accepted before, with the same idempotency key, and nothing more is sent; ${look}`;
  }
  const held = heldText({ notBefore, fannedOut: false });
  return [`The ${word} is accepted; ${look}`, held]
    .filter((part) => part !== undefined)
    .join(" ");
}
