/** Mailboxes of the in-memory store; what is in them is in `message-queue.ts`. */

import type {
  Mailbox,
  MailboxAccount,
  MailboxStore,
  NewMailbox,
  ProjectId,
} from "@carillon/core";
import { checkProject, endSubscription, listPresent } from "./directory.ts";
import { compareKeys } from "./ledger.ts";
import { equals } from "./lists.ts";
import type { DeliveryRow, MailboxRow } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createMailboxStore(tables: Tables): MailboxStore {
  const { mailboxes, write } = tables;
  return {
    addMailbox: (mailbox) =>
      write(() => {
        const { projectId, name } = mailbox;
        checkProject(tables, projectId);
        return findMailbox(tables, projectId, name)
          ? undefined
          : toMailbox(tables, insertMailbox(tables, mailbox));
      }),
    async findMailbox(projectId, name) {
      const row = findMailbox(tables, projectId, name);
      return row && toMailbox(tables, row);
    },
    async findMailboxAccount(projectId, name) {
      const row = findMailbox(tables, projectId, name);
      return row && toAccount(row);
    },
    async findMailboxById(id) {
      const row = mailboxes.list().find((it) => it.id === id);
      return row && toAccount(row);
    },
    async listMailboxes(projectId, { limit, after = 0 }) {
      return mailboxes
        .list()
        .filter((it) => it.projectId === projectId && it.seq > after)
        .slice(0, limit)
        .map((row) => toMailbox(tables, row));
    },
    async countMailboxMessages(seq) {
      const count = (state: DeliveryRow["state"]) =>
        listIn(tables, seq).filter((it) => it.state === state).length;
      return {
        waiting: count("waiting"),
        leased: count("sending"),
        dead: count("failed"),
      };
    },
    updateMailbox: (projectId, name, { disabled: isDisabled, ...change }) =>
      write(() => {
        const row = findMailbox(tables, projectId, name);
        if (!row) return undefined;
        const { disabled, ...rest } = row;
        const isOff = isDisabled ?? disabled === true;
        return toMailbox(
          tables,
          mailboxes.put(row.seq, {
            ...rest,
            ...change,
            ...(isOff && { disabled: true as const }),
          }),
        );
      }),
    deleteMailbox: (projectId, name) =>
      write(() => {
        const row = findMailbox(tables, projectId, name);
        if (row) removeMailbox(tables, row.seq);
        return row !== undefined;
      }),
  };
}

export function findMailbox(
  { mailboxes }: Tables,
  projectId: ProjectId,
  name: string,
): MailboxRow | undefined {
  return mailboxes.list().find((it) => equals(it, { projectId, name }));
}

export function insertMailbox(tables: Tables, mailbox: NewMailbox): MailboxRow {
  const { mailboxes, deletedMailboxes } = tables;
  const seq = mailboxes.size + deletedMailboxes.size + 1;
  return mailboxes.put(seq, { ...mailbox, seq, streams: 0 });
}

/** The mailbox of that name in the project, which is made if there is none. */
export function findOrInsertMailbox(
  tables: Tables,
  mailbox: NewMailbox,
): MailboxRow {
  const { projectId, name } = mailbox;
  return findMailbox(tables, projectId, name) ?? insertMailbox(tables, mailbox);
}

/** Deliveries in a mailbox, the dead with them; oldest message first. */
export function listIn({ deliveries }: Tables, seq: number): DeliveryRow[] {
  return deliveries
    .list()
    .filter(({ pull }) => pull?.mailbox === seq)
    .sort(compareKeys);
}

/** Deliveries that wait or are leased. */
export function depthOf(tables: Tables, seq: number): number {
  return listIn(tables, seq).filter(isOpen).length;
}

/** What is in it is cancelled later; dead letters stay in the ledger. */
export function removeMailbox(tables: Tables, seq: number): void {
  const { mailboxes, deletedMailboxes, withdrawals } = tables;
  for (const subscription of listPresent(tables)) {
    if (subscription.mailbox === seq) endSubscription(tables, subscription);
  }
  withdrawals.put(`${seq}/`, { mailbox: seq });
  mailboxes.delete(seq);
  deletedMailboxes.put(seq, {});
}

export function isOpen({ state }: DeliveryRow): boolean {
  return state === "waiting" || state === "sending";
}

function toMailbox(
  tables: Tables,
  { lastGetAt: _, streams: _count, ...mailbox }: MailboxRow,
): Mailbox {
  return { ...mailbox, depth: depthOf(tables, mailbox.seq) };
}

function toAccount({
  lastGetAt: _,
  streams: _count,
  confirmsById: _byId,
  ...account
}: MailboxRow): MailboxAccount {
  return account;
}
