/**
 * A consumer of one mailbox in a process of its own, to be killed at any moment. What
 * it got, and what was confirmed to it, is in a file before it goes on.
 */

import { openSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Reachable } from "./api.ts";
import { ChildScript, serveParent } from "./child-script.ts";
import { EventStream } from "./event-stream.ts";
import { askNotipy, pythonHeaders } from "./notipy-client.ts";
import {
  type Account,
  basic,
  type Pulled,
  PullSocket,
  receive,
  settle,
  streamPath,
} from "./pull.ts";

/**
 * How it fetches: by long polls, over a stream, over a WebSocket, as Java's client of
 * the Notipy protocol does, or as Python's.
 */
export type ConsumerKind = "poll" | "stream" | "ws" | "java" | "python";

export interface ConsumerOptions {
  readonly kind: ConsumerKind;
  /** The server may be down, and up again at the same address. */
  readonly url: string;
  readonly mailbox: string;
  /** Of the mailbox. */
  readonly account: Account;
  /** Several write to one. */
  readonly file: string;
  /** As the server is configured; milliseconds. */
  readonly leaseMs: number;
  readonly confirmWindowMs: number;
}

/** A line of the file. */
export interface ConsumerRecord {
  readonly event: "got" | "confirmed";
  readonly mailbox: string;
  /** The message's text: unique. */
  readonly text: string;
  /** Of its lease; not in the Notipy protocol. */
  readonly leaseId?: string;
  readonly deliveryCount?: number;
  /** When it was asked for, or confirmed; microseconds of the machine's clock. */
  readonly at: number;
}

let file = -1;

function note(record: ConsumerRecord): void {
  writeSync(file, `${JSON.stringify(record)}\n`);
}

const now = () => Number(process.hrtime.bigint() / 1000n);

/** What it does with a message: it is confirmed most times. */
function choose<T>(messages: readonly T[]): {
  readonly done: readonly T[];
  readonly givenBack: readonly T[];
} {
  const chosen = messages.map((message) => ({ message, by: Math.random() }));
  return {
    done: chosen.filter(({ by }) => by < 0.85).map((one) => one.message),
    // The rest is forgotten, and comes again after the lease.
    givenBack: chosen
      .filter(({ by }) => by >= 0.85 && by < 0.97)
      .map((one) => one.message),
  };
}

function noteGot(mailbox: string, messages: readonly Pulled[], at: number) {
  for (const { body: text, leaseId, deliveryCount } of messages) {
    note({ event: "got", mailbox, text, leaseId, deliveryCount, at });
  }
}

function noteAcked(
  mailbox: string,
  messages: readonly Pulled[],
  acked: readonly string[] = [],
) {
  for (const { body: text, leaseId, deliveryCount } of messages) {
    if (!acked.includes(leaseId)) continue;
    const at = now();
    note({ event: "confirmed", mailbox, text, leaseId, deliveryCount, at });
  }
}

async function handle(
  server: Reachable,
  mailbox: string,
  messages: readonly Pulled[],
): Promise<void> {
  const { done, givenBack } = choose(messages);
  if (done.length > 0) {
    const { acked } = await settle(server, mailbox, "ack", done);
    noteAcked(mailbox, done, acked);
  }
  if (givenBack.length > 0) await settle(server, mailbox, "nack", givenBack);
}

const consume: Readonly<
  Record<ConsumerKind, (options: ConsumerOptions) => Promise<void>>
> = {
  async poll(options) {
    const { mailbox } = options;
    const at = now();
    const messages = await receive(options, mailbox, { max: 20, wait: 10 });
    noteGot(mailbox, messages, at);
    await handle(options, mailbox, messages);
  },

  async stream(options) {
    const { mailbox } = options;
    await using stream = await EventStream.openAt(
      options,
      streamPath(mailbox),
      lastEventId,
    );
    let isOver = false;
    void stream.ended.then(() => {
      isOver = true;
    });
    for (let seen = 0; !isOver || seen < stream.events.length; ) {
      const events = stream.events.slice(seen);
      seen += events.length;
      const messages = events
        .filter(({ name }) => name === "message")
        .map(({ data }) => data as unknown as Pulled);
      noteGot(mailbox, messages, now());
      // What was seen is handled, or comes again after its lease.
      lastEventId =
        events.findLast(({ id }) => id !== undefined)?.id ?? lastEventId;
      if (messages.length > 0) await handle(options, mailbox, messages);
      else await pause(5);
    }
  },

  async ws(options) {
    const { mailbox } = options;
    await using socket = await PullSocket.open(options, mailbox);
    let isOver = false;
    void socket.closed.then(() => {
      isOver = true;
    });
    const got = new Map<string, Pulled>();
    for (let seen = 0; !isOver; ) {
      const frames = socket.frames.slice(seen);
      seen += frames.length;
      for (const frame of frames) {
        if (frame.type === "acked") {
          const ids = frame.acked as string[];
          noteAcked(
            mailbox,
            ids.flatMap((id) => got.get(id) ?? []),
            ids,
          );
        }
        if (frame.type !== "message") continue;
        const message = frame as unknown as Pulled;
        got.set(message.leaseId, message);
        noteGot(mailbox, [message], now());
        const { done, givenBack } = choose([message]);
        const leaseIds = [message.leaseId];
        if (done.length > 0) socket.send({ type: "ack", leaseIds });
        if (givenBack.length > 0) socket.send({ type: "nack", leaseIds });
      }
      await pause(5);
    }
  },

  async java(options) {
    const headers = {
      accept: "application/json",
      "content-type": "application/json; utf-8",
      authorization: basic(options.account),
    };
    for (const { id, body: text } of await pollNotipy(options, headers)) {
      const { done } = choose([id]);
      const put = { messages: [String(id)], success: done.length > 0 };
      const { status, text: answer } = await askNotipy(
        options,
        "PUT",
        headers,
        JSON.stringify(put),
      );
      if (status !== 200) throw new Error(answer);
      if (put.success && JSON.parse(answer).confirmed === 1) {
        const { mailbox } = options;
        note({ event: "confirmed", mailbox, text, at: now() });
      }
    }
    await pause(50);
  },

  /**
   * Confirms each, in their order. After a failure, and at its start, it waits until
   * all leases have ended: a confirmation names no message, and would be one of what
   * was leased to an answer that was lost.
   */
  async python(options) {
    const { mailbox, leaseMs, confirmWindowMs, account } = options;
    if (!isSettled) await pause(leaseMs + 500);
    isSettled = false;
    const headers = { ...pythonHeaders, authorization: basic(account) };
    const begun = now();
    let last = begun;
    for (const { body: text } of await pollNotipy(options, headers)) {
      // A machine this slow would have it confirm, or poll, what it does not mean.
      const isLate = now() - last > (confirmWindowMs * 1000) / 2;
      if (isLate) throw new Error("too late to confirm");
      last = now();
      const { status } = await askNotipy(options, "GET", headers);
      if (status !== 200) throw new Error(String(status));
      note({ event: "confirmed", mailbox, text, at: now() });
    }
    isSettled = true;
    await pause(confirmWindowMs * 1.2);
  },
};

/** Of Python's client: nothing is leased to it that it does not know of. */
let isSettled = false;
let lastEventId: string | undefined;

async function pollNotipy(
  options: ConsumerOptions,
  headers: Readonly<Record<string, string>>,
): Promise<readonly { readonly id: number; readonly body: string }[]> {
  const at = now();
  const { status, text } = await askNotipy(options, "GET", headers);
  if (status !== 200) throw new Error(text);
  const messages: readonly { readonly id: number; readonly body: string }[] =
    JSON.parse(text);
  const { mailbox } = options;
  for (const { body } of messages) {
    note({ event: "got", mailbox, text: body, at });
  }
  return messages;
}

const api = {
  /** Goes on until it is killed, whatever happens to the server. */
  start(options: ConsumerOptions): void {
    file = openSync(options.file, "a");
    void (async () => {
      for (;;) {
        try {
          await consume[options.kind](options);
        } catch {
          // The server is down, or went down.
          await pause(100);
        }
      }
    })();
  },
};

export async function startPullConsumer(
  options: ConsumerOptions,
): Promise<AsyncDisposable> {
  const script = new ChildScript<typeof api>(import.meta.url);
  await script.call("start", options);
  return script;
}

if (import.meta.main) serveParent(api);
