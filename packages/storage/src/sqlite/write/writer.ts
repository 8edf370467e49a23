/**
 * The main thread's side of the writer: gathers what is to be written while
 * the thread is busy, and hands it over as one batch when it is free. So the
 * slower the disk, the more writes share one sync.
 */

import { Worker } from "node:worker_threads";
import {
  anyChange,
  CarillonError,
  type Logger,
  type QueueOutcomes,
  type StoreChange,
  type StoreChanges,
} from "@carillon/core";
import { type Failure, toFailure } from "../failure.ts";
import { toStorageError } from "../storage-error.ts";
import { isSynced } from "./durability.ts";
import type { OperationName, Operations } from "./operations.ts";
import { createStateRules } from "./state-rules.ts";
import type { Answer, Command } from "./transactions.ts";
import type {
  WriterData,
  WriterReply,
  WriterRequest,
} from "./writer-thread.ts";

type Arguments<Name extends OperationName> = Parameters<Operations[Name]>;
type Result<Name extends OperationName> = ReturnType<Operations[Name]>;

interface Pending {
  readonly command: Command;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CarillonError) => void;
}

export interface WriterStatus {
  /** Operations written since the store was opened. */
  readonly operations: number;
  /** Transactions they took. */
  readonly commits: number;
}

const emptyAnswer: Answer = {
  results: [],
  failures: undefined,
  changed: false,
  notices: undefined,
  readyMailboxes: undefined,
  queueOutcomes: undefined,
};

/** Operations handed over at once; more wait for the next batch. */
const maxBatch = 512;

export class Writer implements StoreChanges {
  readonly #worker: Worker;
  readonly #logger: Logger;
  readonly #onBroken: (error: CarillonError) => void;
  readonly #file: string;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #feedListeners = new Set<() => void>();
  readonly #outcomeListeners = new Set<(outcomes: QueueOutcomes) => void>();
  readonly #mailboxListeners = new Set<
    (mailboxes: readonly number[]) => void
  >();
  /** Waits to be handed over. */
  #queue: Pending[] = [];
  /** Was handed over; answered in this order. */
  #inFlight: Pending[] = [];
  #answered = 0;
  #scheduled = false;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  /** Set when the thread died: nothing can be written any more. */
  #broken: CarillonError | undefined;
  #operations = 0;
  #commits = 0;

  /**
   * Starts the thread; it writes nothing before {@link open}.
   *
   * @param onBroken called when the thread died: no write will succeed any more
   */
  constructor(
    file: string,
    logger: Logger,
    onBroken: (error: CarillonError) => void,
  ) {
    this.#file = file;
    this.#logger = logger;
    this.#onBroken = onBroken;
    const data: WriterData = { rules: createStateRules() };
    // The thread runs from source or from dist, as we do.
    const entry = import.meta.resolve("#writer-thread");
    this.#worker = new Worker(new URL(entry), {
      name: "carillon-storage-writer",
      workerData: data,
      // None of our own options: with some (--input-type) no thread starts.
      // From source it imports core's source, as we do.
      execArgv: entry.endsWith(".ts") ? ["--conditions=source"] : [],
    });
    this.#worker.on("message", (reply: WriterReply) => {
      if (reply.kind === "written") this.#settle(reply.answer);
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("The thread ended.")));
  }

  get status(): WriterStatus {
    return { operations: this.#operations, commits: this.#commits };
  }

  /** Opens the database; resolves once it can be written. */
  async open(): Promise<void> {
    // It may have died while the folder was looked at.
    if (this.#broken) throw this.#broken;
    this.#post({ kind: "open", file: this.#file });
    const reply = await new Promise<WriterReply>((resolve, reject) => {
      this.#worker.once("message", resolve);
      // By then it is known why.
      this.#worker.once("exit", () => reject(this.#broken));
    });
    if (reply.kind === "refused") throw this.#error(reply.failure);
    this.#worker.unref();
  }

  /**
   * Runs an operation in a transaction of its own or with others; resolves
   * once it is on disk, or committed if it need not be synced (`durability.ts`).
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then it changed nothing, unless the thread died: then nobody knows.
   * SHUTTING_DOWN once the store is being closed
   */
  run<Name extends OperationName>(
    name: Name,
    ...args: Arguments<Name>
  ): Promise<Result<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#closing) return reject(closedError());
      if (this.#broken) return reject(this.#broken);
      this.#queue.push({
        command: [name, args],
        // The thread answers what the operation of that name answers.
        resolve: resolve as (result: unknown) => void,
        reject,
      });
      this.#schedule();
    });
  }

  /** Those who began to listen first are called first; see `StoreChanges`. */
  changes(listener: (change: StoreChange) => void): () => void {
    // Of its own: the same one may listen twice.
    const own = (change: StoreChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /**
   * Calls `listener` each time the change feed has grown, until the answered
   * function is called.
   */
  onFeedGrown(listener: () => void): () => void {
    this.#feedListeners.add(listener);
    return () => this.#feedListeners.delete(listener);
  }

  /** See `MessageQueueStore`; until somebody asks, nothing is noted. */
  watchMailboxes(listener: (mailboxes: readonly number[]) => void): () => void {
    this.#watch();
    // Of its own: the same one may listen twice.
    const own = (mailboxes: readonly number[]) => listener(mailboxes);
    this.#mailboxListeners.add(own);
    return () => this.#mailboxListeners.delete(own);
  }

  /** See `MessageQueueStore`; until somebody asks, nothing is noted. */
  watchOutcomes(listener: (outcomes: QueueOutcomes) => void): () => void {
    this.#watch();
    const own = (outcomes: QueueOutcomes) => listener(outcomes);
    this.#outcomeListeners.add(own);
    return () => this.#outcomeListeners.delete(own);
  }

  #watch(): void {
    const listeners = this.#mailboxListeners.size + this.#outcomeListeners.size;
    if (listeners === 0) this.#post({ kind: "watch" });
  }

  /** Writes what is waiting, then ends the thread; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#queue.length + this.#inFlight.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    if (this.#broken) return;
    this.#worker.removeAllListeners("exit");
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.ref();
    this.#post({ kind: "close" });
    await ended;
  }

  /**
   * Hands over at the end of this turn of the event loop, so that all requests
   * that came in with it share a transaction.
   */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#handOver();
    });
  }

  #handOver(): void {
    if (this.#broken || this.#queue.length === 0) return;
    this.#inFlight = inOrderOfDurability(this.#queue.slice(0, maxBatch));
    this.#queue = this.#queue.slice(maxBatch);
    this.#answered = 0;
    // Only work under way keeps the process alive.
    this.#worker.ref();
    try {
      this.#postCommands();
    } catch {
      // An argument that cannot be copied to a thread: a caller's mistake,
      // for which nobody else has to answer.
      this.#inFlight = this.#inFlight.filter((it) => this.#isCopyable(it));
      if (this.#inFlight.length > 0) this.#postCommands();
      else this.#settle(emptyAnswer);
    }
  }

  #postCommands(): void {
    const commands: Command[] = [];
    for (const { command } of this.#inFlight) commands.push(command);
    this.#post({ kind: "write", commands });
  }

  /** Rejects the operation if not. */
  #isCopyable({ command, reject }: Pending): boolean {
    try {
      structuredClone(command);
      return true;
    } catch (error) {
      reject(this.#error(toFailure(error)));
      return false;
    }
  }

  /** An answer may be to the first part of a batch only. */
  #settle(answer: Answer): void {
    const { results, failures, changed, notices } = answer;
    const { readyMailboxes, queueOutcomes } = answer;
    // Before the callers of these writes go on: they read what they wrote.
    if (notices) this.#tell(notices);
    if ((failures?.size ?? 0) < results.length) this.#commits++;
    for (const [index, result] of results.entries()) {
      const pending = this.#inFlight[this.#answered++];
      if (pending === undefined) continue;
      const failure = failures?.get(index);
      if (failure) pending.reject(this.#error(failure));
      else pending.resolve(result);
    }
    this.#operations += results.length;
    if (changed) for (const listener of this.#feedListeners) listener();
    if (readyMailboxes) {
      for (const listener of this.#mailboxListeners) listener(readyMailboxes);
    }
    if (queueOutcomes) {
      for (const listener of this.#outcomeListeners) listener(queueOutcomes);
    }
    if (this.#answered < this.#inFlight.length) return;
    this.#inFlight = [];
    this.#worker.unref();
    if (this.#queue.length > 0) this.#schedule();
    else this.#idle?.();
  }

  /** The thread is gone; whether what it was given is on disk is not known. */
  #fail(cause: Error): void {
    if (this.#broken) return;
    this.#broken = new CarillonError(
      "STORAGE_UNAVAILABLE",
      `The thread that writes ${this.#file} ended: ${cause.message} Restart the service.`,
      { cause },
    );
    this.#logger.error("storage_writer_failed", { error: cause });
    this.#onBroken(this.#broken);
    const lost = [...this.#inFlight.slice(this.#answered), ...this.#queue];
    this.#inFlight = [];
    this.#queue = [];
    // What the thread was given may be on disk.
    this.#tell([anyChange]);
    for (const pending of lost) pending.reject(this.#broken);
    this.#idle?.();
  }

  #tell(notices: readonly StoreChange[]): void {
    for (const notice of notices) {
      for (const listener of this.#listeners) listener(notice);
    }
  }

  #error(failure: Failure): CarillonError {
    return toStorageError(failure, this.#file);
  }

  #post(request: WriterRequest): void {
    this.#worker.postMessage(request);
  }
}

/**
 * Those that are not synced first, in a transaction of their own: they are answered
 * while the others are synced.
 */
function inOrderOfDurability(batch: readonly Pending[]): Pending[] {
  const isLast = ({ command: [name] }: Pending) => isSynced(name);
  return [...batch.filter((it) => !isLast(it)), ...batch.filter(isLast)];
}

export function closedError(): CarillonError {
  return new CarillonError("SHUTTING_DOWN", "The store is closed.");
}
