/**
 * Writes the log's lines to a stream that may fail at any time: the disk is
 * full, the reader has gone, or reads more slowly than we write. A line that
 * cannot be written is dropped and counted; nobody waits for the log.
 */

import type { OutputStream } from "./output.ts";

/** Where lines go, and how much of them may wait. */
export interface LogOutputOptions {
  readonly stream: OutputStream;
  /** The line that says how many were dropped and why, with its line break. */
  readonly formatNotice: (dropped: number, reason: string) => string;
  /**
   * Characters that may wait for a slow reader; what comes beyond them is
   * dropped. Default 1 Mi.
   */
  readonly maxBuffered?: number;
  /** How long a stream that failed is left alone. Default 1000. */
  readonly retryMs?: number;
}

/**
 * After a failure nothing but the notice is written, once in `retryMs`, until
 * the stream takes it: a full disk costs one system call a second, whatever
 * is logged meanwhile.
 */
export class LogOutput {
  readonly #stream: OutputStream;
  readonly #formatNotice: LogOutputOptions["formatNotice"];
  readonly #maxBuffered: number;
  readonly #retryMs: number;
  #dropped = 0;
  /** Of those, the ones that no notice has spoken of. */
  #unreported = 0;
  #reason = "";
  #failed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({
    stream,
    formatNotice,
    maxBuffered = 1024 * 1024,
    retryMs = 1000,
  }: LogOutputOptions) {
    this.#stream = stream;
    this.#formatNotice = formatNotice;
    this.#maxBuffered = maxBuffered;
    this.#retryMs = retryMs;
    // Each write learns of its own failure; without a listener the event ends
    // the process.
    stream.on?.("error", () => {});
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line with its line break. Never throws, never waits. */
  write(line: string): void {
    if (this.#failed) this.#drop(1, this.#reason);
    else if (!this.#hasRoom(line)) this.#drop(1, "slow reader");
    else {
      this.#stream.write(line, (error) => {
        if (error) this.#fail(1, error);
      });
    }
  }

  #hasRoom(text: string): boolean {
    const { writableLength = 0 } = this.#stream;
    return writableLength + text.length <= this.#maxBuffered;
  }

  #fail(lines: number, error: Error): void {
    this.#failed = true;
    this.#drop(lines, codeOf(error));
  }

  #drop(lines: number, reason: string): void {
    this.#dropped += lines;
    this.#unreported += lines;
    this.#reason = reason;
    this.#timer ??= setTimeout(() => this.#report(), this.#retryMs).unref();
  }

  #report(): void {
    this.#timer = undefined;
    const count = this.#unreported;
    // A full disk may have taken the first half of a line: begin a new one.
    const start = this.#failed ? "\n" : "";
    const notice = start + this.#formatNotice(count, this.#reason);
    if (!this.#hasRoom(notice)) {
      this.#drop(0, this.#reason);
      return;
    }
    this.#unreported -= count;
    this.#stream.write(notice, (error) => {
      if (!error) {
        this.#failed = false;
        return;
      }
      this.#unreported += count;
      this.#fail(0, error);
    });
  }
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}
