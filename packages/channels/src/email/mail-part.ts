/**
 * Files as the parts of mails that they become: encoded once for all recipients
 * of a message. Loads nodemailer.
 */

import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Attachment } from "@carillon/core";
import MimeNode from "nodemailer/lib/mime-node";

/** A file's headers and base64, ready for any mail. */
export interface MailPart {
  readonly raw: Buffer;
  /** What `cid:` in the HTML names. */
  readonly contentId?: string;
}

/** Files in their order; with turns of the event loop in between. */
export async function encodeMailParts(
  files: readonly Attachment[],
): Promise<readonly MailPart[]> {
  const parts: MailPart[] = [];
  for (const file of files) parts.push(await encodeMailPart(file));
  return parts;
}

async function encodeMailPart({
  name,
  contentType,
  contentId,
  content,
}: Attachment): Promise<MailPart> {
  // Below another one it has no headers of a mail.
  const node = new MimeNode("multipart/mixed").createChild(contentType, {
    filename: name,
  });
  node.setHeader("Content-Transfer-Encoding", "base64");
  if (contentId === undefined) {
    node.setHeader("Content-Disposition", "attachment");
  } else {
    node.setHeader("Content-Id", `<${contentId}>`);
    node.setHeader("Content-Disposition", "inline");
  }
  node.setContent(Readable.from(slicesOf(content)));
  const raw = await node.build();
  return { raw, ...(contentId !== undefined && { contentId }) };
}

/** Bytes of a slice; whole lines of base64, which have 57 each. */
const sliceBytes = 57 * 1024;

/** In one piece 7 MB would hold up everything else for a quarter of a second. */
async function* slicesOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += sliceBytes) {
    yield content.subarray(at, at + sliceBytes);
    await nextTurn();
  }
}
