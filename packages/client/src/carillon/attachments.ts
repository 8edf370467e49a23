/** Files that mails carry, and how they stand in requests and answers. */

import { decodeBase64, encodeBase64 } from "../encoding.ts";
import { InvalidResponseError } from "../errors.ts";
import { findText, type JsonObject, readObjects, readText } from "../json.ts";

/** A file that a mail carries. */
export interface Attachment {
  /** File name, one line. */
  readonly name: string;
  /** Media type such as `application/pdf`. */
  readonly contentType: string;
  readonly content: Uint8Array;
  /** Of an inline image: what `cid:` in the HTML names. */
  readonly contentId?: string | undefined;
}

/** With their bytes in base64. */
export function toAttachmentBodies(
  attachments: readonly Attachment[],
): readonly JsonObject[] {
  return attachments.map(({ content, ...attachment }) => ({
    ...attachment,
    content: encodeBase64(content),
  }));
}

/**
 * Those of an answer; without the member there are none.
 *
 * @throws InvalidResponseError
 */
export function readAttachments(body: JsonObject): readonly Attachment[] {
  if (body.attachments === undefined) return [];
  return readObjects(body, "attachments").map((one) => {
    const contentId = findText(one, "contentId");
    return {
      name: readText(one, "name"),
      contentType: readText(one, "contentType"),
      ...(contentId !== undefined && { contentId }),
      content: readBytes(one, "content"),
    };
  });
}

function readBytes(object: JsonObject, field: string): Uint8Array {
  // A file may be empty, which is a text as well.
  const bytes = decodeBase64(findText(object, field) ?? "");
  if (bytes) return bytes;
  throw new InvalidResponseError(
    `Expected "${field}" in the answer to be base64.`,
  );
}
