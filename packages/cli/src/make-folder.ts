/** Makes a folder, and those above it. */

import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CommandFailure } from "./command-failure.ts";

/**
 * One that is there stays as it is. Not Node's `recursive`: below folders such as
 * `/proc`, where nothing can be made, it asks for ever.
 *
 * @throws CommandFailure when it cannot be made, or a file is in its place
 */
export async function makeFolder(folder: string): Promise<void> {
  const path = resolve(folder);
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const code = await tryMake(at, path);
    if (code === "made") break;
    const above = dirname(at);
    if (code === "ENOENT" && above !== at) missing.push(at);
    else throw cannotMake(path, code);
  }
  // From the one that is there now down to the last.
  for (const at of missing.reverse()) {
    const code = await tryMake(at, path);
    if (code !== "made") throw cannotMake(path, code);
  }
}

/** Answers the error's code where it was not made. */
async function tryMake(at: string, path: string): Promise<string> {
  try {
    await mkdir(at);
    return "made";
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code !== "EEXIST") return code;
    if ((await stat(at).catch(() => undefined))?.isDirectory()) return "made";
    throw cannotMake(path, `${at} is a file`, cause);
  }
}

function cannotMake(
  path: string,
  why: string,
  cause?: unknown,
): CommandFailure {
  const sentence = reasons[why] ?? why;
  return new CommandFailure(
    `The folder ${path} cannot be made: ${sentence}.`,
    1,
    { cause },
  );
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "you may not write there",
  EPERM: "you may not write there",
  ENOENT: "nothing can be made there",
  ENOTDIR: "a part of the path is a file",
  EROFS: "it is on a file system that is read only",
  ENOSPC: "the disk is full",
  ENAMETOOLONG: "its name is too long",
};
