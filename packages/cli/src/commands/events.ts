/** `carillon events` */

import type { CarillonEvent } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { connectionText } from "../connection-text.ts";
import {
  findMessageId,
  shortDeliveryId,
  shortMessageId,
} from "../message-id.ts";
import { hasColours, paint } from "../output.ts";
import { printable } from "../printable.ts";
import { writeSentence } from "../sentence.ts";
import { withServer } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";
import { wholeNumber } from "../whole-number.ts";

interface EventsOptions extends ClientOptions {
  readonly events?: readonly string[];
  readonly topic?: string;
  readonly message?: string;
  readonly protocol?: string;
  readonly after?: string;
  readonly limit?: number;
  readonly timeout?: number;
}

/** A week. */
const maxTimeoutSeconds = 604_800;

export function eventsCommand(): Command {
  return clientCommand(
    "events",
    "Follow what happens, a line for each event, until Ctrl-C. Beyond 50 a second events are summed up.",
    [
      "carillon events",
      "carillon events --events 'delivery.*' --topic alerts",
      "carillon events --events delivery.failed inbound.received -o json",
      "carillon events --message 0198c2f4a1b27c3d --limit 1 --timeout 30",
    ],
  )
    .option(
      "--events <names...>",
      "only these, such as delivery.failed or delivery.*",
    )
    .option("--topic <topic>", "only of this topic: its name or URN")
    .option(
      "--message <id>",
      "only of this message: its id, or 8 digits or more of its beginning",
    )
    .option(
      "--protocol <protocol>",
      "only of this protocol, such as https or sms",
    )
    .option(
      "--after <id>",
      "go on behind this event, whose id the JSON output shows",
    )
    .option(
      "--limit <n>",
      "end after so many lines",
      wholeNumber(1, 1_000_000_000),
    )
    .option(
      "--timeout <seconds>",
      "end after so long, with exit code 1",
      wholeNumber(1, maxTimeoutSeconds, "seconds"),
    )
    .action(followEvents);
}

/** @throws CommandFailure when the time is over */
async function followEvents({
  events,
  topic,
  message,
  protocol,
  after,
  limit,
  timeout,
  ...options
}: EventsOptions): Promise<void> {
  const stopped = stopSignal();
  const timer = new AbortController();
  const signal = AbortSignal.any([stopped, timer.signal]);
  const json =
    (options.output ?? (process.stdout.isTTY ? "table" : "json")) === "json";
  let printed = 0;
  const ending = timeout && setTimeout(() => timer.abort(), timeout * 1000);
  try {
    await withServer(options, async ({ carillon, url }) => {
      const query = {
        events,
        topic,
        message: message && (await findMessageId(carillon.messages, message)),
        protocol,
        after,
      };
      const onConnection = (state: "lost" | "restored") =>
        writeSentence(connectionText(state, url));
      const following = carillon.events(query, { signal, onConnection });
      for await (const event of following) {
        const text = json ? JSON.stringify(event) : lineOf(event);
        process.stdout.write(`${text}\n`);
        if (++printed === limit) break;
      }
    });
  } catch (error) {
    // Ctrl-C is how it ends.
    if (stopped.aborted) return;
    if (!timer.signal.aborted) throw error;
    throw new CommandFailure(timeoutText(timeout ?? 0, printed, limit));
  } finally {
    clearTimeout(ending);
  }
}

/** Such as `1 of 3 events came within 5 s.` */
function timeoutText(
  seconds: number,
  printed: number,
  limit: number | undefined,
): string {
  const count = printed === 0 ? "No" : String(printed);
  const noun = printed === 1 || limit === 1 ? "event" : "events";
  const of = printed > 0 && limit !== undefined ? ` of ${limit}` : "";
  return `${count}${of} ${noun} came within ${seconds} s.`;
}

/** As wide as the terminal: what follows a long endpoint is cut. */
function lineOf(event: CarillonEvent): string {
  const { event: name, at, id: _, ...facts } = event;
  const time = typeof at === "string" ? at.slice(11, 19) : "        ";
  const width = process.stdout.columns ?? 80;
  const text = printable(factsText(facts));
  const head = `${time} ${name.padEnd(19)} `;
  const cut = [...text].slice(0, Math.max(10, width - head.length)).join("");
  const style = styleOf(name);
  if (style === undefined) return head + cut;
  return paint(style, head, hasColours(process.stdout)) + cut;
}

function factsText(facts: Readonly<Record<string, unknown>>): string {
  const { counts, from, endpoint, messageId, deliveryId, error } = facts;
  if (typeof counts === "object" && counts !== null) {
    return Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ");
  }
  if (typeof from === "string" && endpoint === undefined && !facts.inboundId) {
    return `what happened since ${from} is not kept any more`;
  }
  const id =
    typeof deliveryId === "string"
      ? shortDeliveryId(deliveryId)
      : typeof messageId === "string"
        ? shortMessageId({ id: messageId })
        : undefined;
  // The id first: what follows a long endpoint is cut.
  return [id, endpoint ?? from, error]
    .filter((it) => it !== undefined)
    .join("  ");
}

function styleOf(name: string): "red" | "green" | "yellow" | undefined {
  if (/\.(failed|rejected|unknown|expired|failing)$/.test(name)) return "red";
  if (/\.(delivered|confirmed|recovered)$/.test(name)) return "green";
  return name === "gap" ? "yellow" : undefined;
}
