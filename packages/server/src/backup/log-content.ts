/** A delivery log that may be written meanwhile, up to its last whole line. */

import { constants, createReadStream } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import { codeOf } from "./file-system.ts";

/** More than any line has. */
const blockBytes = 262_144;

/**
 * Size and content; `undefined` when the file was removed, or has no line. They
 * are those of a copy: the server may remove or shorten the file meanwhile.
 */
export async function copyToLastLine(
  path: string,
  copy: string,
): Promise<
  | {
      readonly bytes: number;
      readonly content: AsyncIterable<Uint8Array>;
    }
  | undefined
> {
  try {
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const bytes = await findEnd(copy);
  if (bytes === 0) return undefined;
  const content = createReadStream(copy, { end: bytes - 1 });
  return { bytes, content };
}

/** Offset behind the last line break. */
async function findEnd(path: string): Promise<number> {
  await using file = await open(path);
  const { size } = await file.stat();
  const from = Math.max(0, size - blockBytes);
  const tail = Buffer.alloc(size - from);
  await file.read(tail, 0, tail.length, from);
  return from + tail.lastIndexOf(0x0a) + 1;
}
