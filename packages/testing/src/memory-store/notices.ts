/** What a transaction made out of date, told once it is committed. */

import {
  type AccessRecord,
  anyChange,
  type ProjectEndpoint,
  type StoreChange,
  type StoreChanges,
} from "@carillon/core";

/** What a row, put or deleted under this key, makes out of date. */
export type NoticeOf<Row> = (
  key: string | number,
  row: Row,
  isNew: boolean,
) => StoreChange | undefined;

/** What is more in one transaction is told as one notice of all. */
const maxNotices = 64;

export class Notices implements StoreChanges {
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #onUndo: (undo: () => void) => void;
  #noted: readonly StoreChange[] = [];

  /** @param onUndo keeps what is to be done should the transaction fail */
  constructor(onUndo: (undo: () => void) => void) {
    this.#onUndo = onUndo;
  }

  changes(listener: (change: StoreChange) => void): () => void {
    // Of its own: the same one may listen twice.
    const own = (change: StoreChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  note(change: StoreChange): void {
    const before = this.#noted;
    this.#onUndo(() => {
      this.#noted = before;
    });
    this.#noted = [...before, change];
  }

  /** Before the caller of the write goes on. */
  tell(): void {
    const noted = this.#noted;
    this.#noted = [];
    const told = noted.length > maxNotices ? [anyChange] : noted;
    for (const change of told) {
      queueMicrotask(() => {
        for (const listener of this.#listeners) listener(change);
      });
    }
  }
}

export const noticeOfSetting: NoticeOf<object> = (name) => ({
  kind: "setting",
  name: `${name}`,
});

export function noticeOfAccess(of: AccessRecord): NoticeOf<object> {
  return (id, _, isNew) =>
    of === "token" && isNew ? undefined : { kind: "access", of, id: `${id}` };
}

export const noticeOfMailbox: NoticeOf<object> = (mailbox) => ({
  kind: "mailbox",
  mailbox: Number(mailbox),
});

export const noticeOfTopic: NoticeOf<object> = (topicSeq) => ({
  kind: "topic",
  topicSeq: Number(topicSeq),
});

export const noticeOfCancellation: NoticeOf<object> = (messageSeq) => ({
  kind: "message_cancelled",
  messageSeq: Number(messageSeq),
});

/** Their keys are the topic's number and the kind. */
export const noticeOfBinding: NoticeOf<object> = (key) => ({
  kind: "topic",
  topicSeq: Number.parseInt(`${key}`, 10),
});

export const noticeOfFailingEndpoint: NoticeOf<ProjectEndpoint> = (
  _,
  { projectId, protocol, endpoint },
) => ({ kind: "endpoint", projectId, protocol, endpoint });

export const noticeOfSubscription: NoticeOf<{ readonly topicSeq: number }> = (
  _,
  { topicSeq },
) => ({ kind: "subscriptions", topicSeq });
