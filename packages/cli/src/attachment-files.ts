/** Files that a mail carries, as the command line names them. */

import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Attachment } from "@carillon/client";
import { InvalidArgumentError } from "commander";
import { CommandFailure } from "./command-failure.ts";
import { readBytes } from "./file-argument.ts";

/** An image that the HTML names. */
export interface InlineFile {
  /** What `cid:` names. */
  readonly contentId: string;
  readonly path: string;
}

/** Of files whose names end so; all else is `application/octet-stream`. */
const mediaTypes: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".gif": "image/gif",
  ".htm": "text/html",
  ".html": "text/html",
  ".ics": "text/calendar",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
  ".vcf": "text/vcard",
  ".webp": "image/webp",
  ".xml": "application/xml",
  ".zip": "application/zip",
};

/** The media type that a file's name stands for. */
export function mediaTypeOf(path: string): string {
  return mediaTypes[extname(path).toLowerCase()] ?? "application/octet-stream";
}

/** The most that a server can be configured to take: `email.maxAttachmentBytes`. */
const maxBytes = 26_214_400;

/**
 * `undefined` where there is none.
 *
 * @throws CommandFailure when one cannot be read, or all together are more than
 * any server takes: nothing is read then
 */
export async function readAttachments(
  paths: readonly string[] = [],
  inline: readonly InlineFile[] = [],
): Promise<readonly Attachment[] | undefined> {
  await checkSizes([...paths, ...inline.map(({ path }) => path)]);
  const found: Attachment[] = [];
  for (const path of paths) {
    found.push(await readOne("--attach", path));
  }
  for (const { contentId, path } of inline) {
    found.push({ ...(await readOne("--inline", path)), contentId });
  }
  return found.length > 0 ? found : undefined;
}

/** @throws InvalidArgumentError */
export function collectInline(
  text: string,
  before: readonly InlineFile[] = [],
): readonly InlineFile[] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) {
    const one = { contentId: text.slice(0, at), path: text.slice(at + 1) };
    return [...before, one];
  }
  throw new InvalidArgumentError(
    "A content id and a file are expected: logo=logo.png.",
  );
}

/** @throws CommandFailure */
async function checkSizes(paths: readonly string[]): Promise<void> {
  let bytes = 0;
  for (const path of paths) {
    // One that is not there is told of where it is read.
    bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  }
  if (bytes <= maxBytes) return;
  throw new CommandFailure(
    `The files of --attach and --inline have ${bytes} bytes together: at most ${maxBytes} can be sent with a mail, and a server may take less.`,
    2,
  );
}

async function readOne(option: string, path: string): Promise<Attachment> {
  return {
    name: basename(path),
    contentType: mediaTypeOf(path),
    content: await readBytes(option, path),
  };
}
