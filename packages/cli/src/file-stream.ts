/**
 * Writes text to an open file in full or says that it did not: on a disk that
 * fills a write may end early, which Node's own stream takes for success.
 */

import { writeSync } from "node:fs";
import type { OutputStream } from "./output.ts";

/** A stream over a file descriptor; writes at once, never throws. */
export function createFileStream(
  fd: number,
  write: (fd: number, bytes: Uint8Array) => number = writeSync,
): OutputStream {
  return {
    write(text, done) {
      let bytes = Buffer.from(text);
      try {
        while (bytes.length > 0) bytes = bytes.subarray(write(fd, bytes));
        done?.();
      } catch (error) {
        done?.(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}
