/** What the commands for publishers and subscribers have in common. */

import type { Carillon, DeleteOptions } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { addYes, type ConfirmOptions, confirm } from "./confirm.ts";
import { orNoSuch, type Word } from "./lookup.ts";
import { type Column, createOutput } from "./output.ts";
import { withServer } from "./server.ts";

/** What both kinds of accounts have. */
export interface Account {
  readonly name: string;
  /** The user name of its credentials. */
  readonly id: string;
}

/** The client's operations on accounts of one kind. */
interface Accounts<Kept extends Account> {
  list(): AsyncIterable<Kept>;
  get(name: string): Promise<Kept>;
  change(name: string, change: { readonly disabled: boolean }): Promise<Kept>;
  rotateSecret(name: string): Promise<Kept & WithSecret>;
  delete(name: string, options: DeleteOptions): Promise<void>;
}

interface WithSecret {
  readonly secret: string;
}

/** A kind of account. */
export interface AccountKind<Kept extends Account> {
  readonly noun: "publisher" | "subscriber";
  readonly word: Word;
  /** For the help. */
  readonly example: string;
  readonly accounts: (carillon: Carillon) => Accounts<Kept>;
  readonly columns: readonly Column<Kept>[];
  /** All that `show` shows. */
  readonly fields: readonly Column<Kept>[];
  /** What goes with it, such as `and its categories`. */
  readonly follows: (account: Kept) => string;
}

/** `list`, `show`, `enable`, `disable`, `rotate-secret` and `delete`. */
export function accountCommands<Kept extends Account>(
  kind: AccountKind<Kept>,
): readonly Command[] {
  return [
    listCommand(kind),
    showCommand(kind),
    switchCommand(kind, true),
    switchCommand(kind, false),
    rotateCommand(kind),
    deleteCommand(kind),
  ];
}

/** The sentence by which a secret is shown, this once. */
export function secretText(
  noun: string,
  { name, id, secret }: Account & WithSecret,
): string {
  return `${capital(noun)} ${name} has the id ${id} and the secret ${secret}, which is not shown again.`;
}

/** How publishers are named. What else may be missing is said by the server. */
export const publisherWord: Word = {
  noun: "publisher",
  codes: ["PUBLISHER_NOT_FOUND"],
};

/** How subscribers are named. */
export const subscriberWord: Word = {
  noun: "subscriber",
  codes: ["SUBSCRIBER_NOT_FOUND"],
};

function listCommand<Kept extends Account>({
  noun,
  accounts,
  columns,
}: AccountKind<Kept>): Command {
  return clientCommand(
    "list",
    `List the project's ${noun}s, oldest first, without secrets.`,
    [`carillon ${noun} list`],
  ).action(async (options: ClientOptions) => {
    const all = await withServer(options, ({ carillon }) =>
      Array.fromAsync(accounts(carillon).list()),
    );
    createOutput(options).rows(
      all,
      columns,
      `There are no ${noun}s: create one with carillon ${noun} create <name>.`,
    );
  });
}

function showCommand<Kept extends Account>(kind: AccountKind<Kept>): Command {
  const { noun, example, accounts, fields } = kind;
  return clientCommand(
    `show <${noun}>`,
    `Show one ${noun}, without its secret.`,
    [`carillon ${noun} show ${example}`],
  ).action(async (name: string, options: ClientOptions) => {
    const found = await withServer(options, ({ carillon }) =>
      orNoSuch(kind.word, name, accounts(carillon).get(name)),
    );
    createOutput(options).record(found, fields);
  });
}

function switchCommand<Kept extends Account>(
  kind: AccountKind<Kept>,
  enabled: boolean,
): Command {
  const { noun, example, accounts } = kind;
  const verb = enabled ? "enable" : "disable";
  const about = {
    publisher: "Its credentials publish nothing until it is enabled.",
    subscriber:
      "What is published fails for it, and its credentials fetch nothing, until it is enabled; what its mailbox holds stays.",
  }[noun];
  return clientCommand(
    `${verb} <${noun}>`,
    enabled
      ? `Let a disabled ${noun} work again.`
      : `Disable a ${noun}. ${about}`,
    [`carillon ${noun} ${verb} ${example}`],
  ).action(async (name: string, options: ClientOptions) => {
    const changed = await withServer(options, ({ carillon }) =>
      orNoSuch(
        kind.word,
        name,
        accounts(carillon).change(name, { disabled: !enabled }),
      ),
    );
    createOutput(options).result(
      `${capital(noun)} ${name} is ${verb}d.`,
      changed,
    );
  });
}

function rotateCommand<Kept extends Account>(kind: AccountKind<Kept>): Command {
  const { noun, example, accounts } = kind;
  return clientCommand(
    `rotate-secret <${noun}>`,
    `Give a ${noun} another secret, shown this once; the one before stops working at once.`,
    [`carillon ${noun} rotate-secret ${example}`],
  ).action(async (name: string, options: ClientOptions) => {
    const rotated = await withServer(options, ({ carillon }) =>
      orNoSuch(kind.word, name, accounts(carillon).rotateSecret(name)),
    );
    createOutput(options).result(secretText(noun, rotated), rotated);
  });
}

function deleteCommand<Kept extends Account>(kind: AccountKind<Kept>): Command {
  const { noun, example, accounts, follows } = kind;
  const about = {
    publisher:
      "Delete a publisher and its categories; the topics behind them stay.",
    subscriber:
      "Delete a subscriber, its subscriptions and all that its mailbox holds.",
  }[noun];
  return addYes(
    clientCommand(`delete <${noun}>`, about, [
      `carillon ${noun} delete ${example}`,
      `carillon ${noun} delete ${example} --yes`,
    ]),
  ).action(async (name: string, options: ClientOptions & ConfirmOptions) => {
    await withServer(options, async ({ carillon }) => {
      const all = accounts(carillon);
      const found = await orNoSuch(kind.word, name, all.get(name));
      await confirm(`Delete ${noun} ${name}${follows(found)}?`, options);
      await orNoSuch(
        kind.word,
        name,
        all.delete(name, { ignoreMissing: false }),
      );
    });
    createOutput(options).result(`${capital(noun)} ${name} is deleted.`, {
      [noun]: name,
      deleted: true,
    });
  });
}

function capital(noun: string): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}
