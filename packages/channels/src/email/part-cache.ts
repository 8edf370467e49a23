/** The files of the mails that are being sent, made ready once for all recipients. */

import type { MailPart } from "./mail-part.ts";

/** Reads and encodes a message's files, in their order. */
export type ReadParts = (messageSeq: number) => Promise<readonly MailPart[]>;

/** The files of one message, as long as somebody is sending it. */
export interface HeldParts extends Disposable {
  /** What could not be read is read anew by the next. @throws as the reader does */
  read(): Promise<readonly MailPart[]>;
}

interface Entry {
  holders: number;
  files: Promise<readonly MailPart[]> | undefined;
  /** Of the files, once they are read. */
  bytes: number;
}

/**
 * Nothing stays once nobody sends the message. Before that, files beyond the
 * bound are let go, those read first at first, and read again.
 */
export class PartCache {
  readonly #read: ReadParts;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #entries = new Map<number, Entry>();

  constructor(read: ReadParts, maxBytes: number) {
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  /** Reads nothing yet. */
  hold(messageSeq: number): HeldParts {
    const entry = this.#entries.get(messageSeq) ?? {
      holders: 0,
      files: undefined,
      bytes: 0,
    };
    entry.holders++;
    this.#entries.set(messageSeq, entry);
    return {
      read: () => this.#filesOf(messageSeq, entry),
      [Symbol.dispose]: () => {
        entry.holders--;
        if (entry.holders > 0) return;
        this.#letGo(entry);
        this.#entries.delete(messageSeq);
      },
    };
  }

  async #filesOf(
    messageSeq: number,
    entry: Entry,
  ): Promise<readonly MailPart[]> {
    if (entry.files !== undefined) return entry.files;
    const reading = this.#read(messageSeq);
    entry.files = reading;
    try {
      const files = await reading;
      if (entry.files === reading && entry.holders > 0) {
        entry.bytes = bytesOf(files);
        this.#bytes += entry.bytes;
        this.#shrink();
      }
      return files;
    } catch (error) {
      if (entry.files === reading) entry.files = undefined;
      throw error;
    }
  }

  #shrink(): void {
    for (const entry of this.#entries.values()) {
      if (this.#bytes <= this.#maxBytes) return;
      // One that is being read weighs nothing yet.
      if (entry.bytes > 0) this.#letGo(entry);
    }
  }

  #letGo(entry: Entry): void {
    this.#bytes -= entry.bytes;
    entry.bytes = 0;
    entry.files = undefined;
  }
}

function bytesOf(files: readonly MailPart[]): number {
  return files.reduce((sum, { raw }) => sum + raw.length, 0);
}
