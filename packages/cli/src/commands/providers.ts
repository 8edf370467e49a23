/** `carillon providers …` */

import type { ProviderSummary, ResumedProvider } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { deliveryLines } from "../delivery-details.ts";
import { failedCount, isSettled } from "../delivery-table.ts";
import { orNoSuch } from "../lookup.ts";
import { maxTimeToLiveSeconds } from "../message-options.ts";
import { type Column, createOutput, hasColours, layoutFor } from "../output.ts";
import {
  balanceText,
  pauseText,
  providerLines,
  providerStyles,
  shareText,
} from "../provider-details.ts";
import { withServer } from "../server.ts";
import { howItGoesOn, waitUntilSettled } from "../show-progress.ts";
import { stopSignal } from "../stop-signal.ts";
import { ageText } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

const naming = { noun: "providers", word: "provider" };

const columns: readonly Column<ProviderSummary>[] = [
  { head: "name", cell: (one) => one.name },
  { head: "type", cell: (one) => one.type },
  {
    head: "state",
    cell: (one) => one.state,
    style: (one) => providerStyles[one.state],
  },
  { head: "breaker", cell: (one) => one.breaker ?? "" },
  { head: "5 min", cell: (one) => shareText(one.lastFiveMinutes) },
  { head: "hour", cell: (one) => shareText(one.lastHour) },
  { head: "", cell: noteOf, wraps: true },
];

const withBalance: readonly Column<ProviderSummary>[] = columns.toSpliced(
  -1,
  0,
  { head: "balance", cell: (one) => balanceText(one.balance), wraps: true },
);

export function providersCommand(): Command {
  return new Command("providers")
    .description(
      "List, show, test, pause and resume the carriers that texts go through. They are set up in the configuration. For operators.",
    )
    .addCommand(list())
    .addCommand(show())
    .addCommand(test())
    .addCommand(pause())
    .addCommand(resume());
}

function list(): Command {
  return clientCommand(
    "list",
    "List the providers: their state, and which share of their texts carriers took. Counts are of the node that answers, since its start.",
    ["carillon providers list", "carillon providers list --balance"],
  )
    .option("--balance", "ask what is left on the accounts")
    .action(
      async ({
        balance,
        ...options
      }: ClientOptions & { readonly balance?: boolean }) => {
        const found = await withServer(options, ({ carillon }) =>
          carillon.providers.list({ balance }),
        );
        createOutput(options).rows(
          found,
          balance ? withBalance : columns,
          "There are no providers.",
        );
      },
    );
}

function show(): Command {
  return clientCommand(
    "show <provider>",
    "Show all of one provider: health, balance, errors with their meaning, and where its carrier calls.",
    [
      "carillon providers show twilio",
      "carillon providers show twilio --reveal",
    ],
  )
    .option(
      "--reveal",
      "show the secret in the addresses that the carrier calls; it stands in the audit log",
    )
    .action(
      async (
        name: string,
        { reveal, ...options }: ClientOptions & { readonly reveal?: boolean },
      ) => {
        const found = await withServer(options, async ({ carillon }) => {
          const { providers } = carillon;
          const provider = await orNoSuch(naming, name, providers.get(name));
          if (!reveal) return provider;
          return { ...provider, callbacks: await providers.reveal(name) };
        });
        const layout = layoutFor(process.stdout);
        createOutput(options).lines(providerLines(found, layout), found);
      },
    );
}

interface TestOptions extends ClientOptions {
  readonly text?: string;
  readonly timeout: number;
}

function test(): Command {
  return clientCommand(
    "test <provider> <number>",
    "Send a real text through exactly this provider, wait, and show what became of it. The exit code is 1 when it failed.",
    [
      "carillon providers test twilio +4915112345678",
      'carillon providers test twilio +4915112345678 --text "Hello"',
    ],
  )
    .option("--text <text>", "what it says, in place of that it is a test")
    .option(
      "--timeout <seconds>",
      "how long to wait for the carrier's answer",
      wholeNumber(1, maxTimeToLiveSeconds, "seconds"),
      60,
    )
    .action(
      async (
        name: string,
        recipient: string,
        { text, timeout, ...options }: TestOptions,
      ) => {
        await withServer(options, async ({ carillon }) => {
          const { providers, messages } = carillon;
          const { messageId } = await orNoSuch(
            naming,
            name,
            providers.test(name, { recipient, text }),
          );
          const signal = stopSignal();
          const report = await waitUntilSettled(
            messages,
            messageId,
            timeout * 1000,
            signal,
          );
          const output = createOutput(options);
          const colours = hasColours(process.stdout);
          for await (const one of messages.deliveries(
            messageId,
            {},
            { signal },
          )) {
            output.lines(deliveryLines(one, { colours }), one);
          }
          if (!report || !isSettled(report)) {
            throw new CommandFailure(
              `The test was not settled after ${timeout} s; ${howItGoesOn(messageId)}`,
            );
          }
          if (failedCount(report) > 0) {
            throw new CommandFailure(`The test of ${name} failed.`);
          }
        });
      },
    );
}

function pause(): Command {
  return clientCommand(
    "pause <provider>",
    "Give a provider no new texts, on all nodes, until it is resumed. Others take over by the delivery policy; what only it may send waits.",
    ['carillon providers pause twilio --reason "raised prices"'],
  )
    .option("--reason <text>", "why, for whoever looks at it")
    .action(
      async (
        name: string,
        { reason, ...options }: ClientOptions & { readonly reason?: string },
      ) => {
        const paused = await withServer(options, ({ carillon }) =>
          orNoSuch(naming, name, carillon.providers.pause(name, reason)),
        );
        createOutput(options).result(
          `Provider ${name} is paused; carillon providers resume ${name} lets texts go on.`,
          paused,
        );
      },
    );
}

function resume(): Command {
  return clientCommand(
    "resume <provider>",
    "Let texts through a provider that was paused; what waited for it goes on at once.",
    ["carillon providers resume twilio"],
  ).action(async (name: string, options: ClientOptions) => {
    const resumed = await withServer(options, ({ carillon }) =>
      orNoSuch(naming, name, carillon.providers.resume(name)),
    );
    createOutput(options).result(
      resumedText(name, resumed),
      resumed.provider ?? { name },
    );
  });
}

function resumedText(
  name: string,
  { wasPaused, provider }: ResumedProvider,
): string {
  if (!wasPaused) return `Provider ${name} was not paused.`;
  return provider
    ? `Provider ${name} is resumed.`
    : `Provider ${name} is not paused any more, and not configured.`;
}

/** What there is to say beside its state. */
function noteOf(provider: ProviderSummary): string {
  const { lastError, isDefault } = provider;
  if (provider.pause) return pauseText(provider);
  if (provider.state !== "ok" && lastError) {
    const code = lastError.code === undefined ? "" : ` (${lastError.code})`;
    return `${ageText(lastError.lastAt)} ago: ${lastError.meaning}${code}`;
  }
  return isDefault ? "default" : "";
}
