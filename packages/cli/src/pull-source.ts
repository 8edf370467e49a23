/** Where `carillon pull` fetches from, and as whom. */

import { type PullQueue, Subscriber } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { CommandFailure } from "./command-failure.ts";
import { checkUrl, findConnection } from "./connection.ts";
import { toFailure } from "./failure-sentence.ts";
import { textArgument } from "./file-argument.ts";
import type { Word } from "./lookup.ts";
import { withServer } from "./server.ts";

/** Options of the commands that fetch from a mailbox. */
export interface PullOptions extends ClientOptions {
  readonly id?: string;
  readonly secret?: string;
}

/** A command that fetches, with the project's keys or a subscriber's. */
export function pullingCommand(
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return clientCommand(usage, description, examples)
    .option(
      "--id <id>",
      "act as this subscriber: the id that carillon subscriber create showed",
    )
    .option(
      "--secret <secret>",
      "its secret; @ and a file that has it, or - for standard input",
    );
}

/**
 * Finds the mailbox's server, and lets `run` fetch from it.
 *
 * @throws CommandFailure when it is not there, or refuses
 */
export async function withSource<Result>(
  subscription: string,
  { id, secret, ...options }: PullOptions,
  run: (source: PullQueue, url: string) => Promise<Result>,
): Promise<Result> {
  if (id === undefined && secret === undefined) {
    return await withServer(options, ({ carillon, url }) =>
      run(carillon.pull(subscription), url),
    );
  }
  if (id === undefined || secret === undefined) {
    throw new CommandFailure(
      "Expected --id and --secret, or neither: they are a subscriber's credentials.",
      2,
    );
  }
  const given = options.url ?? (process.env.CARILLON_URL || undefined);
  // With a URL no keys of the project are needed.
  const url =
    given === undefined
      ? (await findConnection(options, process.env)).url
      : checkUrl(given);
  const subscriber = new Subscriber({
    id,
    secret: await textArgument("--secret", secret),
    baseUrl: url,
    subscription,
    // As of a project's keys.
    retry: { maxRetries: 0 },
  });
  try {
    return await run(subscriber, url);
  } catch (error) {
    throw toFailure(
      error,
      url,
      "--id and --secret",
      "carillon subscriber rotate-secret gives the subscriber another secret",
    );
  }
}

/** How mailboxes are named. */
export const mailboxWord: Word = {
  noun: "subscriber",
  word: "mailbox",
  codes: ["SUBSCRIBER_NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"],
};

/** The longest lease and the longest delay that the server takes: 12 h. */
export const maxPullSeconds = 43_200;
