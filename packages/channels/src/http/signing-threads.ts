/**
 * Signs in threads of its own, in batches. A signature takes a quarter of a
 * millisecond, so it must not be made on the main thread; and to wake another
 * thread for each one, as libuv's pool would, costs the main thread as much as
 * sending the message does. What comes in while all threads sign waits, and goes
 * out as few large batches.
 */

import type { KeyObject } from "node:crypto";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Logger } from "@carillon/core";
import { signText } from "./signature.ts";
import type { SigningAnswer, SigningBatch } from "./signing-thread.ts";

interface Job {
  readonly text: string;
  readonly key: KeyObject;
  readonly resolve: (signature: string) => void;
  readonly reject: (error: unknown) => void;
}

/** A sixtieth of a second's work; a text waits for one batch at most. */
const maxBatch = 64;
/** Copying a batch to its thread must not hold up the main one. */
const maxBatchCharacters = 256 * 1024;
const maxThreads = 4;

export interface SigningThreadsOptions {
  /** Default: one for each processor, four at most. */
  readonly threads?: number;
  /** What a thread runs. Default: `signing-thread.ts`. */
  readonly entry?: URL;
}

/** Signs texts; threads are started when they are first needed. */
export class SigningThreads implements Disposable {
  readonly #threads: SigningThread[] = [];
  readonly #maxThreads: number;
  readonly #entry: URL;
  readonly #logger: Logger;
  #waiting: Job[] = [];
  #isScheduled = false;
  #hasEnded = false;

  constructor(logger: Logger, options: SigningThreadsOptions = {}) {
    const { threads = Math.min(maxThreads, availableParallelism()) } = options;
    // The thread runs from source or from dist, as we do.
    const { entry = new URL(import.meta.resolve("#signing-thread")) } = options;
    this.#logger = logger;
    this.#entry = entry;
    this.#maxThreads = threads;
  }

  /** Answers base64; rejects when the key cannot sign. */
  sign(text: string, key: KeyObject): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, key, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      // What else this turn of the event loop brings goes out with it.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#handOut();
      });
    });
  }

  /** Ends the threads; what they have not signed is signed nonetheless. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
    for (const thread of this.#threads) thread.end();
  }

  #handOut(): void {
    const waiting = this.#waiting.length;
    if (waiting === 0) return;
    if (this.#hasEnded) {
      for (const job of this.#waiting.splice(0)) signHere(job);
      return;
    }
    const free = this.#threads.filter((thread) => !thread.isBusy);
    while (free.length < waiting && this.#threads.length < this.#maxThreads) {
      const thread = new SigningThread(this.#entry, this.#logger, () =>
        this.#handOut(),
      );
      this.#threads.push(thread);
      free.push(thread);
    }
    for (const [n, thread] of free.entries()) {
      const share = Math.ceil(this.#waiting.length / (free.length - n));
      const batch = this.#takeBatch(Math.min(share, maxBatch));
      if (batch.length === 0) return;
      thread.sign(batch);
    }
  }

  /** The next jobs that one key signs. */
  #takeBatch(most: number): readonly Job[] {
    const batch: Job[] = [];
    let characters = 0;
    for (const job of this.#waiting) {
      if (batch.length === most || characters >= maxBatchCharacters) break;
      if (batch[0] && batch[0].key !== job.key) break;
      characters += job.text.length;
      batch.push(job);
    }
    this.#waiting = this.#waiting.slice(batch.length);
    return batch;
  }
}

class SigningThread {
  readonly #entry: URL;
  readonly #logger: Logger;
  readonly #onFree: () => void;
  /** Started with the first batch, and again after it died. */
  #worker: Worker | undefined;
  #batch: readonly Job[] = [];
  #hasEnded = false;

  constructor(entry: URL, logger: Logger, onFree: () => void) {
    this.#entry = entry;
    this.#logger = logger;
    this.#onFree = onFree;
  }

  get isBusy(): boolean {
    return this.#batch.length > 0;
  }

  /** The thread must not be busy; the jobs have the same key. */
  sign(batch: readonly Job[]): void {
    const [first] = batch;
    if (!first) return;
    this.#batch = batch;
    const texts: string[] = [];
    for (const { text } of batch) texts.push(text);
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage({
        key: first.key,
        texts,
      } satisfies SigningBatch);
      // Only work under way keeps the process alive.
      this.#worker.ref();
    } catch (error) {
      // No thread can be started, which must not end the process.
      this.#logger.error("signing_thread_ended", { error });
      this.#batch = [];
      for (const job of batch) signHere(job);
    }
  }

  end(): void {
    this.#hasEnded = true;
    void this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, {
      name: "carillon-signing",
      // None of our own options: with some (--input-type) no thread starts.
      execArgv: [],
      // It makes little but signatures.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.on("message", (answer: SigningAnswer) => {
      worker.unref();
      settle(this.#free(), answer);
    });
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (exitCode) => {
      this.#worker = undefined;
      if (!this.#hasEnded) {
        this.#logger.error("signing_thread_ended", { exitCode, error: cause });
      }
      // Here and now, so that nothing is tried for ever.
      for (const job of this.#free()) signHere(job);
    });
    return worker;
  }

  /** Makes it ready for the next batch; answers the last one. */
  #free(): readonly Job[] {
    const batch = this.#batch;
    this.#batch = [];
    this.#onFree();
    return batch;
  }
}

function settle(batch: readonly Job[], answer: SigningAnswer): void {
  for (const [n, { resolve, reject }] of batch.entries()) {
    if ("error" in answer) reject(answer.error);
    else resolve(answer.signatures[n] as string);
  }
}

function signHere({ text, key, resolve, reject }: Job): void {
  try {
    resolve(signText(text, key));
  } catch (error) {
    reject(error);
  }
}
