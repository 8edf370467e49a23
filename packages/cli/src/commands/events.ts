/** `carillon events` */

import type { CarillonEvent } from "@carillon/client";
import { type Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { hasColours, paint } from "../output.ts";
import { printable } from "../printable.ts";
import { withServer } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";
import { wholeNumber } from "../whole-number.ts";

interface EventsOptions extends ClientOptions {
  readonly event?: readonly string[];
  readonly topic?: string;
  readonly message?: string;
  readonly protocol?: string;
  readonly after?: string;
  readonly limit?: number;
}

export function eventsCommand(): Command {
  return clientCommand(
    "events",
    "Follow what happens, a line for each event, until Ctrl-C. Beyond 50 a second events are summed up.",
    [
      "carillon events",
      "carillon events --event 'delivery.*' --topic alerts",
      "carillon events --event delivery.failed inbound.received -o json",
    ],
  )
    .option(
      "--event <names...>",
      "only these, such as delivery.failed or delivery.*",
    )
    .option("--topic <topic>", "only of this topic: its name or URN")
    .option("--message <id>", "only of this message: its whole id")
    .addOption(
      new Option("--protocol <protocol>", "only of this protocol").choices([
        "http",
        "https",
        "email",
        "sms",
      ]),
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
    .action(followEvents);
}

async function followEvents({
  event: events,
  topic,
  message,
  protocol,
  after,
  limit,
  ...options
}: EventsOptions): Promise<void> {
  const signal = stopSignal();
  const json =
    (options.output ?? (process.stdout.isTTY ? "table" : "json")) === "json";
  const query = { events, topic, message, protocol, after };
  let printed = 0;
  try {
    await withServer(options, async ({ carillon }) => {
      for await (const event of carillon.events(query, { signal })) {
        const text = json ? JSON.stringify(event) : lineOf(event);
        process.stdout.write(`${text}\n`);
        if (++printed === limit) break;
      }
    });
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!signal.aborted) throw error;
  }
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
  const { counts, from, endpoint, messageId, error } = facts;
  if (typeof counts === "object" && counts !== null) {
    return Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ");
  }
  if (typeof from === "string" && endpoint === undefined && !facts.inboundId) {
    return `what happened since ${from} is not kept any more`;
  }
  const id = typeof messageId === "string" ? messageId.slice(-8) : undefined;
  return [endpoint ?? from, id, error]
    .filter((it) => it !== undefined)
    .join("  ");
}

function styleOf(name: string): "red" | "green" | "yellow" | undefined {
  if (/\.(failed|rejected|unknown|expired|failing)$/.test(name)) return "red";
  if (/\.(delivered|confirmed|recovered)$/.test(name)) return "green";
  return name === "gap" ? "yellow" : undefined;
}
