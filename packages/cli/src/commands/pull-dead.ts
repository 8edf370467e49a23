/** `carillon pull dead` and `redrive` */

import type { DeadMessage, PullQueue } from "@carillon/client";
import type { Command } from "commander";
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
    "Put dead letters into the mailbox again, all of them or these; each is handed out as often as a new one.",
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
      const redriven = await withSource(subscription, options, (source) =>
        orNoSuch(mailboxWord, subscription, redrive(source, subscription, ids)),
      );
      const noun = redriven === 1 ? "message waits" : "messages wait";
      createOutput(options).result(
        `${redriven} ${noun} in the mailbox again.`,
        { redriven },
      );
    },
  );
}

/** All, unless ids are given, or beginnings of ids as the table shows them. */
async function redrive(
  source: PullQueue,
  subscription: string,
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) return await source.redrive();
  const isWhole = (id: string) => /^[0-9a-f]{32}$/.test(id);
  if (ids.every(isWhole)) return await source.redrive(ids);
  const all = await Array.fromAsync(source.dead({ limit: maxOfPage }));
  const naming: Naming<DeadMessage> = {
    noun: "pull",
    word: "dead letter",
    listedBy: `carillon pull dead ${subscription}`,
    idOf: ({ id }) => id,
  };
  return await source.redrive(ids.map((id) => chooseOne(all, naming, id).id));
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
