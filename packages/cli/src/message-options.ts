/** Options of the commands that publish: what a message may carry. */

import type {
  JsonObject,
  PublishSettings,
  RelatedObject,
} from "@carillon/client";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseJsonObject } from "./file-argument.ts";
import {
  addSmsOptions,
  type SmsOptionValues,
  smsOptionsOf,
} from "./sms-options.ts";
import { parseDelay, parseInstant } from "./time-text.ts";
import { wholeNumber } from "./whole-number.ts";

/** The most that the server takes as time to live: a week. */
export const maxTimeToLiveSeconds = 604_800;

/** Kinds of traffic. */
export const messageClassNames = ["otp", "transactional", "bulk"] as const;

export interface CommonOptions {
  readonly timeToLive?: number;
  /** When it is to be sent; one of the two at most. */
  readonly at?: Date;
  readonly delay?: Date;
  readonly class?: (typeof messageClassNames)[number];
  readonly tag?: string;
  readonly priority?: 1 | 2 | 3;
  readonly related?: readonly RelatedObject[];
  readonly extraData?: JsonObject;
  readonly statusUrl?: string;
  readonly idempotencyKey?: string;
}

export interface MessageOptions extends SmsOptionValues, CommonOptions {}

/** Adds the options to a command. */
export function addMessageOptions(command: Command): Command {
  return addCommonOptions(addSmsOptions(command));
}

/** The same without those of texts. */
export function addCommonOptions(command: Command): Command {
  return command
    .option(
      "--time-to-live <seconds>",
      "not delivered after that long",
      wholeNumber(1, maxTimeToLiveSeconds, "seconds"),
    )
    .option(
      "--at <instant>",
      "no attempt before, such as 2026-01-31T08:30:00Z; at most 35 days ahead",
      (text) => parseInstant(text),
    )
    .addOption(
      new Option("--delay <time>", "the same, from now: 90s, 30min, 2h or 7d")
        .argParser(parseDelayAhead)
        .conflicts("at"),
    )
    .addOption(
      new Option("--class <class>", "kind of traffic").choices(
        messageClassNames,
      ),
    )
    .option("--tag <tag>", "label to find the message by")
    .option("--priority <1-3>", "1 is the highest", wholeNumber(1, 3))
    .option(
      "--related <type=id>",
      "an object it is about, such as order=4711; may be repeated",
      collectRelated,
    )
    .option(
      "--extra-data <json>",
      "JSON object, or @ and a file that has one, that is kept with it and not delivered",
      parseJsonObject,
    )
    .option("--status-url <url>", "where outcomes are told")
    .option(
      "--idempotency-key <key>",
      "the same command with the same key within 24 hours publishes nothing more",
    );
}

/** The settings of the message that was asked for. */
export function settingsOf(options: MessageOptions): PublishSettings {
  return { ...commonSettingsOf(options), sms: smsOptionsOf(options) };
}

/** The same without what texts are sent with. */
export function commonSettingsOf(options: CommonOptions) {
  return {
    timeToLiveSeconds: options.timeToLive,
    notBefore: notBeforeOf(options),
    class: options.class,
    tag: options.tag,
    priority: options.priority,
    relatedObjects: options.related,
    extraData: options.extraData,
    statusUrl: options.statusUrl,
  };
}

/** When no attempt is made before. */
export function notBeforeOf({
  at,
  delay,
}: Pick<CommonOptions, "at" | "delay">): Date | undefined {
  return at ?? delay;
}

/** How far ahead the server takes messages: 35 days. */
const maxAheadMs = 35 * 86_400_000;

/** @throws InvalidArgumentError */
function parseDelayAhead(text: string): Date {
  const now = Date.now();
  const at = parseDelay(text, now);
  if (at.getTime() - now <= maxAheadMs) return at;
  throw new InvalidArgumentError("At most 35d is expected.");
}

/** @throws InvalidArgumentError */
export function parseRelated(text: string): RelatedObject {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) {
    return { type: text.slice(0, at), id: text.slice(at + 1) };
  }
  throw new InvalidArgumentError("A type and an id are expected: order=4711.");
}

function collectRelated(
  text: string,
  before: readonly RelatedObject[] = [],
): readonly RelatedObject[] {
  return [...before, parseRelated(text)];
}
