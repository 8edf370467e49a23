/** Reads small files that somebody names: a device or a pipe may be endless. */

import { closeSync, openSync, readSync } from "node:fs";

const pieceBytes = 65_536;

/** `undefined`: it is larger. @throws Error as `readFileSync` does */
export function readAtMost(path: string, maxBytes: number): Buffer | undefined {
  const file = openSync(path, "r");
  try {
    const pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      const piece = Buffer.alloc(pieceBytes);
      const count = readSync(file, piece);
      if (count === 0) return Buffer.concat(pieces);
      length += count;
      if (length > maxBytes) return undefined;
      pieces.push(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/** Of a configuration, and of what it names. */
const maxConfigBytes = 16 * 1024 * 1024;

/** A text of a configuration. @throws Error with a clause as its message */
export function readConfigText(path: string): string {
  const bytes = readAtMost(path, maxConfigBytes);
  if (bytes !== undefined) return bytes.toString("utf8");
  throw new Error(`it is larger than ${maxConfigBytes / 1024 / 1024} MiB`);
}
