/** Files that mails carry: as they are sent to us, and as they are given out. */

import {
  type Attachment,
  CarillonError,
  type ErrorCode,
  mailLimits,
} from "@carillon/core";
import type { FastifyReply } from "fastify";
import type { Static } from "typebox";
import { RequestError } from "../../../errors.ts";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";

const AttachmentToSend = Type.Object(
  {
    name: Type.String({ description: "File name, one line" }),
    contentType: Type.String({
      description: "Media type, such as application/pdf",
    }),
    content: Type.String({
      maxLength: Math.ceil(mailLimits.mostAttachmentBytes / 3) * 4,
      description: "The bytes, in base64",
    }),
    contentId: Type.Optional(
      Type.String({
        description:
          "Of an inline image: what `cid:` in the HTML names, without angle brackets",
      }),
    ),
  },
  { title: "AttachmentToSend" },
);

/** As it comes in a request. */
export type GivenAttachment = Static<typeof AttachmentToSend>;

/** @param code what it is where it is not as it has to be */
export function givenAttachments(code: ErrorCode) {
  return Type.Array(AttachmentToSend, {
    description: `Files and inline images, ${mailLimits.attachments} at most`,
    ...failsWith(code),
  });
}

/**
 * With their bytes. What else is wrong with them is core's to say.
 *
 * @throws CarillonError of the code
 */
export function toAttachments(
  given: readonly GivenAttachment[],
  code: ErrorCode = "MESSAGE_INVALID",
): readonly Attachment[] {
  return given.map(({ content, ...attachment }, n) => {
    if (isBase64(content)) {
      return { ...attachment, content: Buffer.from(content, "base64") };
    }
    throw new CarillonError(
      code,
      `Invalid attachments[${n}].content: base64 (RFC 4648 §4, with padding and without line breaks) is expected.`,
    );
  });
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/**
 * The place, from 0, of the one that a path names, counted from 1.
 *
 * @throws RequestError ATTACHMENT_NOT_FOUND
 */
export function placeOf(place: string, count: number): number {
  const n = /^[1-9]\d{0,8}$/.test(place) ? Number(place) : 0;
  if (n >= 1 && n <= count) return n - 1;
  throw attachmentNotFound(count);
}

export function attachmentNotFound(count: number): RequestError {
  return new RequestError(
    "ATTACHMENT_NOT_FOUND",
    `The message has ${count} attachments, counted from 1; there is no such one.`,
  );
}

/**
 * Answers its bytes so that no browser shows them in the server's name: what
 * strangers wrote may be HTML.
 */
export function sendAttachment(
  reply: FastifyReply,
  { name, contentType, content }: Attachment,
): FastifyReply {
  return reply
    .header("content-type", safeMediaType(contentType))
    .header("content-disposition", dispositionOf(name))
    .header("x-content-type-options", "nosniff")
    .header("content-security-policy", "default-src 'none'; sandbox")
    .send(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}

function safeMediaType(contentType: string): string {
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(contentType)
    ? contentType
    : "application/octet-stream";
}

/** RFC 6266, with a name that old clients understand before the real one. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^\w.-]+/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
