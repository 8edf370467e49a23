/** Files below Django's MEDIA_ROOT: none beside it is read, whatever rows say. */

import { readFileSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { CommandFailure } from "../command-failure.ts";
import { printable } from "../printable.ts";
import { RowProblem } from "./source-values.ts";

export interface MediaFolder {
  /**
   * @param path below the folder
   * @param what is read, for the sentence
   * @throws RowProblem when it is not there, not in the folder, or longer
   */
  read(path: string, what: string, maxBytes: number): Buffer;
}

/** @throws CommandFailure when there is no such folder */
export function openMediaFolder(folder: string): MediaFolder {
  let root: string;
  try {
    root = realpathSync(folder);
    if (!statSync(root).isDirectory()) throw new Error("It is no folder.");
  } catch (cause) {
    throw new CommandFailure(
      `--media: there is no folder ${printable(folder)}.`,
      2,
      { cause },
    );
  }
  return {
    read(path, what, maxBytes) {
      if (path.includes("\0"))
        throw new RowProblem(`${what}: its path is none.`);
      const name = printable(path.slice(0, 200));
      let file: string;
      let size: number;
      try {
        file = realpathSync(join(root, path));
        const stat = statSync(file);
        // What is no file may keep its reader waiting for ever.
        if (!stat.isFile()) throw new RowProblem(`${what} ${name} is no file.`);
        ({ size } = stat);
      } catch (error) {
        if (error instanceof RowProblem) throw error;
        throw new RowProblem(`${what} ${name} is not below --media.`);
      }
      if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) {
        throw new RowProblem(`${what} ${name} is not below --media.`);
      }
      if (size > maxBytes) {
        throw new RowProblem(
          `${what} ${name} has ${size} bytes, ${maxBytes} is the most.`,
        );
      }
      try {
        return readFileSync(file);
      } catch (error) {
        const { code = "it failed" } = error as NodeJS.ErrnoException;
        throw new RowProblem(`${what} ${name} cannot be read: ${code}.`);
      }
    },
  };
}
