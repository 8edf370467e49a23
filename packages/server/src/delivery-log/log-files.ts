/**
 * A log of lines per topic: `{folder}/{topic id}-{number}.jsonl`. A file that is
 * full is followed by one with the next number; the oldest ones go.
 */

import { appendFile, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface LogFilesOptions {
  readonly folder: string;
  /** A file is full before it has more bytes. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Files kept of each topic. Default 8. */
  readonly maxFiles?: number;
}

/** Where a reader goes on; `number:offset`, in the files of one topic. */
export type LogCursor = string;

interface Tip {
  number: number;
  bytes: number;
}

/** Bytes read at once, more than any line has. */
const blockBytes = 262_144;

export class LogFiles {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #tips = new Map<string, Tip>();

  constructor({
    folder,
    maxBytes = 16 * 1024 * 1024,
    maxFiles = 8,
  }: LogFilesOptions) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#maxFiles = maxFiles;
  }

  /** Adds whole lines. One call at a time. */
  async append(topicId: string, text: string): Promise<void> {
    const tip = this.#tips.get(topicId) ?? (await this.#findTip(topicId));
    this.#tips.set(topicId, tip);
    const bytes = Buffer.byteLength(text);
    if (tip.bytes > 0 && tip.bytes + bytes > this.#maxBytes) {
      tip.number++;
      tip.bytes = 0;
      await this.#removeOld(topicId, tip.number);
    }
    try {
      await appendFile(this.#path(topicId, tip.number), text, { mode: 0o600 });
    } catch (error) {
      // A full disk may have cut the text off: see anew where the file ends.
      this.#tips.delete(topicId);
      throw error;
    }
    tip.bytes += bytes;
  }

  /**
   * Answers at most `limit` lines behind a cursor, or from the oldest on, and
   * where to go on: an answer without lines is the end so far.
   */
  async read(
    topicId: string,
    after: LogCursor | undefined,
    limit: number,
  ): Promise<{ lines: string[]; next: LogCursor }> {
    const [from = 0, start = 0] = parseCursor(after) ?? [];
    const numbers = (await this.#numbersOf(topicId)).filter((n) => n >= from);
    const lines: string[] = [];
    let next = after ?? toCursor(numbers[0] ?? 1, 0);
    for (const number of numbers) {
      let offset = number === from ? start : 0;
      while (lines.length < limit) {
        const block = await this.#readBlock(topicId, number, offset);
        if (block.length === 0) break;
        for (const line of block) {
          if (lines.length === limit) break;
          lines.push(line);
          offset += Buffer.byteLength(line) + 1;
        }
      }
      next = toCursor(number, offset);
      if (lines.length === limit) break;
    }
    return { lines, next };
  }

  /** The whole lines of one block; none at the end of the file. */
  async #readBlock(
    topicId: string,
    number: number,
    offset: number,
  ): Promise<string[]> {
    await using file = await open(this.#path(topicId, number));
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(blockBytes),
      0,
      blockBytes,
      offset,
    );
    const text = buffer.subarray(0, bytesRead);
    const end = text.lastIndexOf(0x0a);
    return end < 0 ? [] : text.subarray(0, end).toString().split("\n");
  }

  async #findTip(topicId: string): Promise<Tip> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const number = (await this.#numbersOf(topicId)).at(-1);
    if (number === undefined) return { number: 1, bytes: 0 };
    const path = this.#path(topicId, number);
    const { size } = await stat(path);
    if (size === 0) return { number, bytes: 0 };
    await using file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    // A line that a crash cut off stays alone at its file's end.
    return buffer[0] === 0x0a
      ? { number, bytes: size }
      : { number: number + 1, bytes: 0 };
  }

  async #removeOld(topicId: string, tip: number): Promise<void> {
    for (const number of await this.#numbersOf(topicId)) {
      if (number > tip - this.#maxFiles) break;
      await rm(this.#path(topicId, number), { force: true });
    }
  }

  /** In order. */
  async #numbersOf(topicId: string): Promise<number[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      // Nothing was ever logged.
      if (isMissing(error)) return [];
      throw error;
    });
    const numbers: number[] = [];
    for (const name of names) {
      const match = /^([0-9a-f]{32})-(\d{1,9})\.jsonl$/.exec(name);
      if (match?.[1] === topicId) numbers.push(Number(match[2]));
    }
    return numbers.sort((a, b) => a - b);
  }

  #path(topicId: string, number: number): string {
    const name = `${topicId}-${String(number).padStart(6, "0")}.jsonl`;
    return join(this.#folder, name);
  }
}

/** `undefined` when it is none. */
export function parseCursor(
  text: string | undefined,
): [number: number, offset: number] | undefined {
  const match = /^(\d{1,9}):(\d{1,15})$/.exec(text ?? "");
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function toCursor(number: number, offset: number): LogCursor {
  return `${number}:${offset}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
