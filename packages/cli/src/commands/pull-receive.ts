/** `carillon pull <mailbox>` */

import type { PulledMessage, PullQueue } from "@carillon/client";
import { type Command, Option } from "commander";
import { CommandFailure } from "../command-failure.ts";
import { connectionText } from "../connection-text.ts";
import { orNoSuch } from "../lookup.ts";
import { messageLine, messageRecord } from "../message-lines.ts";
import { createOutput } from "../output.ts";
import {
  mailboxWord,
  maxPullSeconds,
  type PullOptions,
  pullingCommand,
  withSource,
} from "../pull-source.ts";
import { refuseOptions } from "../refuse-options.ts";
import { runForMessage } from "../run-for-message.ts";
import { writeSentence } from "../sentence.ts";
import { stopSignal } from "../stop-signal.ts";
import { instantText } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

interface ReceiveOptions extends PullOptions {
  readonly follow?: true;
  readonly ack?: true;
  readonly exec?: string;
  readonly max?: number;
  readonly wait?: number;
  readonly lease?: number;
  readonly retryAfter: number;
}

/** What the server gives in one answer at most. */
const maxOfAnswer = 100;

/** Without --max and --follow. */
const defaultMax = 10;

/** Messages that a stream may have under way at most. */
const maxCredit = 1000;

/** Of a command that runs for each message; it is extended meanwhile. */
const execLeaseSeconds = 60;

export function receiveCommand(): Command {
  return pullingCommand(
    "receive <subscription>",
    "Fetch messages, oldest first. Without --ack or --exec each stays leased for a while and then comes again; carillon pull ack confirms it by the lease, which is the first word of its line. With --follow the end, also by Ctrl-C, gives back what was not confirmed. A command of --exec finds in its environment CARILLON_MESSAGE_ID, _LEASE_ID, _LEASE_UNTIL, _DELIVERY_COUNT, _TOPIC_URN, _CREATED_AT, _SUBJECT and _ORDERING_KEY as texts, and _CATEGORIES, _DATA and _ATTRIBUTES as JSON.",
    [
      "carillon pull receive hall-display",
      "carillon pull receive hall-display --ack --wait 30",
      "carillon pull receive hall-display --follow --exec './show.sh'",
      "carillon pull receive hall-display --follow --ack -o json | jq -r .body",
    ],
  )
    .option("--follow", "go on as messages come, until Ctrl-C")
    .option("--ack", "confirm each message once it is printed")
    .addOption(
      new Option(
        "--exec <command>",
        "run this for each message, with its text as standard input and the rest in variables that begin CARILLON_MESSAGE_; exit code 0 confirms it, any other gives it back",
      ).conflicts("ack"),
    )
    .option(
      "--retry-after <seconds>",
      "what --exec failed for comes again after that long",
      wholeNumber(0, maxPullSeconds, "seconds"),
      10,
    )
    .option(
      "--max <n>",
      `messages at most; ${defaultMax} by default, with --follow any number`,
      wholeNumber(1, 1_000_000_000),
    )
    .option(
      "--wait <seconds>",
      "wait so long for the first one; at most 60",
      wholeNumber(0, 60, "seconds"),
    )
    .option(
      "--lease <seconds>",
      "how long a message is leased; at least 5, at most 12 h; the server's by default",
      wholeNumber(5, maxPullSeconds, "seconds"),
    )
    .action(
      async (
        subscription: string,
        options: ReceiveOptions,
        command: Command,
      ) => {
        if (options.follow) {
          refuseOptions(command, ["wait"], "without --follow");
        }
        if (options.exec === undefined) {
          refuseOptions(command, ["retryAfter"], "for --exec");
        }
        const handler = createHandler(options, stopSignal());
        await withSource(subscription, options, (source, url) =>
          options.follow
            ? orNoSuch(
                mailboxWord,
                subscription,
                follow(source, url, options, handler),
              )
            : orNoSuch(
                mailboxWord,
                subscription,
                receive(source, options, handler),
              ),
        );
        handler.finish(subscription);
      },
    );
}

/** What is done with messages, and what is said of that at the end. */
interface Handler {
  /** Aborted by Ctrl-C. */
  readonly stopped: AbortSignal;
  readonly leaseSeconds: number | undefined;
  handle(message: PulledMessage): Promise<void>;
  /** @throws CommandFailure when messages were given back */
  finish(subscription: string): void;
}

function createHandler(
  { exec, ack, follow, lease, retryAfter, ...options }: ReceiveOptions,
  stopped: AbortSignal,
): Handler {
  const { json } = createOutput(options);
  let count = 0;
  let confirmed = 0;
  // By message: one may be handed out, and given back, more than once.
  const givenBack = new Set<string>();
  let leasedUntil = "";
  const print = (message: PulledMessage) => {
    const text = json
      ? JSON.stringify(messageRecord(message))
      : messageLine(message, { showsLease: !ack });
    process.stdout.write(`${text}\n`);
  };
  const run = async (message: PulledMessage, command: string) => {
    const seconds = lease ?? execLeaseSeconds;
    // When it does not go through, the confirmation says that the lease is over.
    const extend = () => message.extend(seconds).catch(() => {});
    const extending = setInterval(extend, seconds * 500);
    const failure = await runForMessage(command, message, stopped).finally(() =>
      clearInterval(extending),
    );
    if (failure === undefined) {
      givenBack.delete(message.id);
      confirmed++;
      return await confirm(message);
    }
    givenBack.add(message.id);
    const delayMs = stopped.aborted ? 0 : retryAfter * 1000;
    await message.nack({ delayMs });
    writeSentence(
      `The command ${failure}: message ${message.id} is given back${delayMs > 0 ? `, and comes again after ${retryAfter} s` : ""}.`,
    );
  };
  return {
    stopped,
    leaseSeconds: exec === undefined ? lease : (lease ?? execLeaseSeconds),
    async handle(message) {
      count++;
      leasedUntil = message.leaseUntil;
      if (exec !== undefined) return await run(message, exec);
      print(message);
      if (ack) await confirm(message);
    },
    finish(subscription) {
      const { size } = givenBack;
      if (size > 0) {
        const total = size + confirmed;
        throw new CommandFailure(
          `${size} of ${total} ${total === 1 ? "message" : "messages"} ${size === 1 ? "was" : "were"} given back.`,
        );
      }
      if (json || follow) return;
      if (count === 0) writeSentence("There are no messages.");
      else if (!ack && exec === undefined) {
        writeSentence(
          `Leased until ${instantText(leasedUntil)} UTC, by the lease in the first column: carillon pull ack ${subscription} <lease> confirms a message, carillon pull nack ${subscription} <lease> gives it back before.`,
        );
      }
    },
  };
}

async function receive(
  source: PullQueue,
  options: ReceiveOptions,
  { stopped, leaseSeconds, handle }: Handler,
): Promise<void> {
  let left = options.max ?? defaultMax;
  let waitSeconds = options.wait;
  // One by one for a command: the leases of the others would run meanwhile.
  const most = options.exec === undefined ? maxOfAnswer : 1;
  while (left > 0) {
    const max = Math.min(left, most);
    const messages = await source.receive({
      max,
      waitSeconds,
      leaseSeconds,
      signal: stopped,
    });
    waitSeconds = undefined;
    for (const message of messages) await handle(message);
    stopped.throwIfAborted();
    if (messages.length < max) return;
    left -= messages.length;
  }
}

async function follow(
  source: PullQueue,
  url: string,
  { max, exec, ack }: ReceiveOptions,
  { stopped, leaseSeconds, handle }: Handler,
): Promise<void> {
  let count = 0;
  const shown = new Map<string, string>();
  const messages = source.stream({
    signal: stopped,
    // One for a command; else all that may be, of which none is confirmed.
    credit: exec === undefined ? (ack ? undefined : maxCredit) : 1,
    leaseMs: leaseSeconds && leaseSeconds * 1000,
    onConnection: (state) => writeSentence(connectionText(state, url)),
  });
  try {
    for await (const message of messages) {
      await handle(message);
      // It comes again under another lease, which takes the place of this one.
      if (!ack && exec === undefined) shown.set(message.id, message.leaseId);
      if (shown.size > maxCredit) removeOldest(shown);
      if (++count === max || stopped.aborted) break;
    }
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!stopped.aborted) throw error;
  } finally {
    if (shown.size > 0) await source.nack([...shown.values()]);
  }
}

function removeOldest(entries: Map<string, string>): void {
  for (const key of entries.keys()) {
    entries.delete(key);
    return;
  }
}

/** Confirms; says so when it was too late. */
async function confirm(message: PulledMessage): Promise<void> {
  if (await message.ack()) return;
  writeSentence(
    `The lease of message ${message.id} had ended before it was confirmed: it comes again.`,
  );
}
