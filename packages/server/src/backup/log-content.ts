/** A delivery log that may be written meanwhile, up to its last whole line. */

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

/** More than any line has. */
const blockBytes = 262_144;

/** Size and content; `undefined` when the file was removed, or has no line. */
export async function readToLastLine(path: string): Promise<
  | {
      readonly bytes: number;
      readonly content: AsyncIterable<Uint8Array>;
    }
  | undefined
> {
  const bytes = await findEnd(path);
  if (!bytes) return undefined;
  // A stream that is not read yet holds no file, and reads no further later.
  const content = createReadStream(path, { end: bytes - 1 });
  return { bytes, content };
}

/** Offset behind the last line break. */
async function findEnd(path: string): Promise<number | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const from = Math.max(0, size - blockBytes);
    const tail = Buffer.alloc(size - from);
    await file.read(tail, 0, tail.length, from);
    return from + tail.lastIndexOf(0x0a) + 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
