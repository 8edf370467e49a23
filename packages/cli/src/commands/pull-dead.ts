/** `carillon pull dead` and `redrive` */

import type { DeadMessage, PullQueue } from "@carillon/client";
import type { Command } from "commander";
import { CommandFailure } from "../command-failure.ts";
import { chooseOne, type Naming, orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import {
  mailboxWord,
  type PullOptions,
  pullingCommand,
  withSource,
} from "../pull-source.ts";
import { ageText } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

/** What the server gives at once, at most. */
const maxOfPage = 100;

const columns: readonly Column<DeadMessage>[] = [
  { head: "message", cell: ({ id }) => id, isId: true },
  {
    head: "deliveries",
    cell: ({ deliveryCount }) => String(deliveryCount),
    align: "right",
  },
  { head: "dead for", cell: ({ diedAt }) => ageText(diedAt), align: "right" },
  { head: "reason", cell: ({ reason }) => reason, wraps: true },
];

export function deadCommand(): Command {
  return pullingCommand(
    "dead <subscription>",
    "List the dead letters of a mailbox, oldest first: messages that were handed out too often without a confirmation, or that it did not take.",
    [
      "carillon pull dead hall-display",
      "carillon pull dead hall-display -o json | jq -r .id",
    ],
  )
    .option("--limit <n>", "how many at most", wholeNumber(1, 100_000), 100)
    .action(
      async (
        subscription: string,
        options: PullOptions & { readonly limit: number },
      ) => {
        const found = await withSource(subscription, options, (source) =>
          orNoSuch(
            mailboxWord,
            subscription,
            takeFirst(
              source.dead({ limit: Math.min(options.limit, maxOfPage) }),
              options.limit,
            ),
          ),
        );
        createOutput(options).rows(
          found,
          columns,
          "The mailbox has no dead letters.",
        );
      },
    );
}

export function redriveCommand(): Command {
  return pullingCommand(
    "redrive <subscription> [message...]",
    "Put dead letters into the mailbox again, all of them or these; each is handed out as often as a new one. The exit code is 1 when some stay on the list, for which a full or disabled mailbox has no room.",
    [
      "carillon pull redrive hall-display",
      "carillon pull redrive hall-display 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
    ],
  ).action(
    async (
      subscription: string,
      ids: readonly string[],
      options: PullOptions,
    ) => {
      const { redriven, left } = await withSource(
        subscription,
        options,
        (source) =>
          orNoSuch(
            mailboxWord,
            subscription,
            redrive(source, subscription, ids),
          ),
      );
      const noun = redriven === 1 ? "message waits" : "messages wait";
      createOutput(options).result(
        `${redriven} ${noun} in the mailbox again.`,
        { redriven, left },
      );
      if (left === 0) return;
      throw new CommandFailure(
        `${left} ${left === 1 ? "stays" : "stay"} on the list, for the mailbox is full or disabled: carillon subscriber list shows its state, what it holds and its quota.`,
      );
    },
  );
}

/**
 * All, unless ids are given, or beginnings of ids as the table shows them. Answers
 * how many wait again, and how many stay on the list.
 */
async function redrive(
  source: PullQueue,
  subscription: string,
  words: readonly string[],
): Promise<{ readonly redriven: number; readonly left: number }> {
  const listed = () => Array.fromAsync(source.dead({ limit: maxOfPage }));
  const ids = await toIds(words, subscription, listed);
  const redriven = await source.redrive(ids);
  if (redriven === ids?.length) return { redriven, left: 0 };
  const rest = await listed();
  const isMeant = ({ id }: DeadMessage) => ids?.includes(id) ?? true;
  return { redriven, left: rest.filter(isMeant).length };
}

/** `undefined`: all. */
async function toIds(
  words: readonly string[],
  subscription: string,
  listed: () => Promise<readonly DeadMessage[]>,
): Promise<readonly string[] | undefined> {
  if (words.length === 0) return undefined;
  const isWhole = (word: string) => /^[0-9a-f]{32}$/.test(word);
  if (words.every(isWhole)) return words;
  const all = await listed();
  const naming: Naming<DeadMessage> = {
    noun: "pull",
    word: "dead letter",
    listedBy: `carillon pull dead ${subscription}`,
    idOf: ({ id }) => id,
  };
  return words.map((word) => chooseOne(all, naming, word).id);
}

async function takeFirst<Item>(
  items: AsyncIterable<Item>,
  limit: number,
): Promise<readonly Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= limit) break;
  }
  return taken;
}
