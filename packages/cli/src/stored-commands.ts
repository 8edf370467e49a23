/** The commands that list, show, cancel and retry stored messages. */

import {
  deliveryStates,
  pymessStates,
  type RelatedObject,
  type StoredMessage,
  type StoredMessageSummary,
} from "@carillon/client";
import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { CommandFailure } from "./command-failure.ts";
import { stateStyles } from "./delivery-table.ts";
import { orNoSuch } from "./lookup.ts";
import { shortDeliveryId } from "./message-id.ts";
import { parseRelated } from "./message-options.ts";
import { type Column, createOutput, layoutFor } from "./output.ts";
import { type Server, withServer } from "./server.ts";
import { findStoredId } from "./stored-id.ts";
import type { StoredKind } from "./stored-kind.ts";
import { storedLines } from "./stored-lines.ts";
import { ageText, parseSince } from "./time-text.ts";
import { wholeNumber } from "./whole-number.ts";

export function storedCommands(kind: StoredKind): readonly Command[] {
  return [list(kind), show(kind), act(kind, "cancel"), act(kind, "retry")];
}

interface ListOptions extends ClientOptions {
  readonly state?: string;
  readonly tag?: string;
  readonly template?: string;
  readonly related?: readonly RelatedObject[];
  readonly to?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
}

function list(kind: StoredKind): Command {
  const { noun, word } = kind;
  const columns: readonly Column<StoredMessageSummary>[] = [
    { head: "id", cell: ({ id }) => shortDeliveryId(id) },
    { head: "to", cell: ({ to }) => to, max: 16 },
    {
      head: "state",
      cell: ({ state }) => state,
      style: ({ state }) => stateStyles[state],
    },
    { head: noun === "sms" ? "text" : "subject", cell: kind.title, max: 26 },
    { head: "age", cell: (one) => ageText(one.createdAt), align: "right" },
  ];
  return clientCommand("list", `List the project's ${word}s, newest first.`, [
    `carillon ${noun} list`,
    `carillon ${noun} list --state failed --since 2h`,
    `carillon ${noun} list --tag orders --related order=4711`,
    `carillon ${noun} list --to ${kind.example} --template welcome -o json`,
  ])
    .option(
      "--state <state>",
      "only those in this state, by our name or by pymess's, such as ERROR_RETRY",
      parseState,
    )
    .option("--tag <tag>", "only those with this tag")
    .option("--template <slug>", "only those made from this template")
    .option(
      "--related <type=id>",
      "only those about this object, such as order=4711; of several, about all",
      (text: string, before: readonly RelatedObject[] = []) => [
        ...before,
        parseRelated(text),
      ],
    )
    .option("--to <recipient>", "only those to this recipient")
    .option(
      "--since <time>",
      "only those created since: 90s, 30min, 2h, 7d ago, or an instant",
      (text: string) => parseSince(text),
    )
    .option(
      "--until <time>",
      "only those created before, said likewise",
      (text: string) => parseSince(text),
    )
    .option("--limit <n>", "how many at most", wholeNumber(1, 1_000_000), 20)
    .action(async (options: ListOptions) => {
      const { limit, state, tag, template, to, since, until } = options;
      const { related: relatedObjects } = options;
      const query = { state, tag, template, relatedObjects, to, since, until };
      const pageSize = Math.min(limit, 1000);
      const found = await withServer(options, async ({ carillon }) => {
        const messages: StoredMessageSummary[] = [];
        const pages = kind.of(carillon).list({ ...query, pageSize });
        for await (const one of pages) {
          messages.push(one);
          if (messages.length === limit) break;
        }
        return messages;
      });
      createOutput(options).rows(found, columns, `There are no such ${word}s.`);
    });
}

function show(kind: StoredKind): Command {
  const { noun, word } = kind;
  return clientCommand(
    `show <${word}>`,
    `Show all of one ${word}: what it says, its state, each attempt, and when the next one is.`,
    [
      `carillon ${noun} show 0198c2f4a1b27c3d`,
      `carillon ${noun} show 0198c2f4a1b27c3d -o json | jq .state`,
    ],
  ).action(async (text: string, options: ClientOptions) => {
    const found = await withServer(options, async (server) => {
      const id = await idOf(server, kind, text);
      return orNone(await kind.of(server.carillon).find(id), kind, text);
    });
    showOne(found, options);
  });
}

interface ActOptions extends ClientOptions {
  readonly reason?: string;
}

const actions = {
  cancel: (word: string) =>
    `Cancel a ${word} whose next attempt has not begun. An attempt that is under way cannot be taken back.`,
  retry: (word: string) =>
    `Make another attempt at a ${word}, now. What costs money costs it again.`,
};

function act(kind: StoredKind, action: keyof typeof actions): Command {
  const { noun, word } = kind;
  return clientCommand(`${action} <${word}>`, actions[action](word), [
    `carillon ${noun} ${action} 0198c2f4a1b27c3d`,
  ])
    .option("--reason <text>", "why, for its history")
    .action(async (text: string, { reason, ...options }: ActOptions) => {
      const done = await withServer(options, async (server) => {
        const id = await idOf(server, kind, text);
        const asked = kind.of(server.carillon)[action](id, { reason });
        return await orNoSuch(kind, text, asked);
      });
      showOne(done, options);
    });
}

function showOne(message: StoredMessage, options: ClientOptions): void {
  createOutput(options).lines(
    storedLines(message, layoutFor(process.stdout)),
    message,
  );
}

async function idOf(
  { carillon }: Pick<Server, "carillon">,
  kind: StoredKind,
  text: string,
): Promise<string> {
  return await findStoredId(kind.of(carillon).list, kind, text);
}

/** @throws CommandFailure */
function orNone(
  message: StoredMessage | undefined,
  { noun, word }: StoredKind,
  text: string,
): StoredMessage {
  if (message) return message;
  throw new CommandFailure(
    `There is no ${word} "${text}": carillon ${noun} list shows those there are.`,
  );
}

/** @throws InvalidArgumentError */
function parseState(text: string): string {
  const states: readonly string[] = [...deliveryStates, ...pymessStates];
  if (states.includes(text)) return text;
  throw new InvalidArgumentError(`One of ${states.join(", ")} is expected.`);
}
