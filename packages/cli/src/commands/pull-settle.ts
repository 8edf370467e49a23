/** `carillon pull ack`, `nack` and `extend` */

import type { Command } from "commander";
import { CommandFailure } from "../command-failure.ts";
import { orNoSuch } from "../lookup.ts";
import { createOutput } from "../output.ts";
import {
  mailboxWord,
  maxPullSeconds,
  type PullOptions,
  pullingCommand,
  withSource,
} from "../pull-source.ts";
import { wholeNumber } from "../whole-number.ts";

/** Whoever typed the command sees what is wrong, and repeats it. */
const atOnce = { repeatForMs: 0 };

export function ackCommand(): Command {
  return pullingCommand(
    "ack <subscription> <lease...>",
    "Confirm messages by the leases they came with: they are not handed out again. The exit code is 1 when a lease had ended.",
    ["carillon pull ack hall-display 1z.1.2"],
  ).action(
    async (
      subscription: string,
      leaseIds: readonly string[],
      options: PullOptions,
    ) => {
      const answer = await withSource(subscription, options, (source) =>
        orNoSuch(mailboxWord, subscription, source.ack(leaseIds, atOnce)),
      );
      const text = `${messagesText(answer.settled)} confirmed.`;
      createOutput(options).result(text, {
        acked: answer.settled,
        stale: answer.stale,
      });
      refuseStale(answer.stale);
    },
  );
}

export function nackCommand(): Command {
  return pullingCommand(
    "nack <subscription> <lease...>",
    "Give messages back by the leases they came with: they are handed out again. The exit code is 1 when a lease had ended.",
    [
      "carillon pull nack hall-display 1z.1.2",
      "carillon pull nack hall-display 1z.1.2 --delay 60",
    ],
  )
    .option(
      "--delay <seconds>",
      "handed out again after that long",
      wholeNumber(0, maxPullSeconds, "seconds"),
      0,
    )
    .action(
      async (
        subscription: string,
        leaseIds: readonly string[],
        options: PullOptions & { readonly delay: number },
      ) => {
        const delayMs = options.delay * 1000;
        const answer = await withSource(subscription, options, (source) =>
          orNoSuch(
            mailboxWord,
            subscription,
            source.nack(leaseIds, { delayMs, ...atOnce }),
          ),
        );
        const text = `${messagesText(answer.settled)} given back.`;
        createOutput(options).result(text, {
          nacked: answer.settled,
          stale: answer.stale,
        });
        refuseStale(answer.stale);
      },
    );
}

export function extendCommand(): Command {
  return pullingCommand(
    "extend <subscription> <lease...>",
    "Let leases last so long from now on. The exit code is 1 when one had ended.",
    ["carillon pull extend hall-display 1z.1.2 --lease 600"],
  )
    .option(
      "--lease <seconds>",
      "from now on; at least 5, at most 12 h",
      wholeNumber(5, maxPullSeconds, "seconds"),
      60,
    )
    .action(
      async (
        subscription: string,
        leaseIds: readonly string[],
        options: PullOptions & { readonly lease: number },
      ) => {
        const answer = await withSource(subscription, options, (source) =>
          orNoSuch(
            mailboxWord,
            subscription,
            source.extend(leaseIds, options.lease, atOnce),
          ),
        );
        const text = `${messagesText(answer.settled)} leased for ${options.lease} s more.`;
        createOutput(options).result(text, {
          extended: answer.settled,
          stale: answer.stale,
        });
        refuseStale(answer.stale);
      },
    );
}

/** @throws CommandFailure when there are any */
function refuseStale(stale: readonly string[]): void {
  if (stale.length === 0) return;
  const what = stale.length === 1 ? `The lease ${stale[0]} is` : "Leases are";
  const which = stale.length === 1 ? "" : `: ${stale.join(", ")}`;
  throw new CommandFailure(
    `${what} over, or of another mailbox, and nothing was done by it${which}; the message comes again unless it was confirmed.`,
  );
}

/** Such as `2 messages are`. */
function messagesText({ length }: readonly string[]): string {
  return length === 1 ? "1 message is" : `${length} messages are`;
}
