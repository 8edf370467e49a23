/**
 * Request bodies are read as bytes (signatures cover them) and become JSON
 * only once the caller is known. What a body may contain is bounded before it
 * is parsed.
 */

import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { findExcess, type JsonLimits } from "@carillon/core";
import { errorCodes, type FastifyRequest } from "fastify";
import { RequestError } from "../errors.ts";
import type { HttpApp } from "./http-app.ts";

/** Longest body of a route that names no other, in bytes. */
export const defaultBodyBytes = 64 * 1024;

/** For log-ins, which come from strangers, in bytes. */
export const loginBodyBytes = 16 * 1024;

/** For access policies, of 30 KB, and lists of URNs or tags; in bytes. */
export const listBodyBytes = 512 * 1024;

/**
 * For messages, and batches of 50 and more, in bytes: a message of 256 KB fits
 * even if each character is escaped (`\u0041`).
 */
export const messageBodyBytes = 2 * 1024 * 1024;

/** For all of a request about mails but what is attached to them, in bytes. */
const mailRoomBytes = 3 * 1024 * 1024;

/**
 * For mails with what is attached to them, as base64; in bytes.
 *
 * @param attachmentBytes of all attachments of a mail, at most
 */
export function mailBodyBytes(attachmentBytes: number): number {
  return Math.ceil(attachmentBytes / 3) * 4 + mailRoomBytes;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Members that a JSON body may have, for lists of small objects. */
    jsonMembers?: number;
    /**
     * Longest body at present, in bytes, where a setting decides it. Never more
     * than the route's `bodyLimit`.
     */
    bodyBytes?: () => number;
  }
}

/** Longest body that the request may have, in bytes. */
export function bodyBytesOf({ routeOptions }: FastifyRequest): number {
  const { bodyLimit, config } = routeOptions;
  return Math.min(bodyLimit, config.bodyBytes?.() ?? bodyLimit);
}

/** What the largest JSON body may contain; see {@link jsonLimitsOf}. */
const largestJson: JsonLimits = { values: 20_000, members: 2000, depth: 64 };

/**
 * What a JSON body may contain on a route, by the longest body it takes: a
 * value in 32 bytes and a member in 64, and never more than the largest may.
 */
export function jsonLimitsOf(bodyBytes: number): JsonLimits {
  const { values, members, depth } = largestJson;
  return {
    values: Math.min(values, Math.floor(bodyBytes / 32)),
    members: Math.min(members, Math.floor(bodyBytes / 64)),
    depth,
  };
}

/** 16 KiB: the body of a GET means nothing; clients that sign one send `{}`. */
const maxUnreadBodyBytes = 16 * 1024;

const noBody = Buffer.alloc(0);

/** Takes bodies of any content type, or none, as bytes. */
export function acceptAnyBody(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    // The first by name: Fastify remembers only the parsers of named types.
    ["application/json", "*"],
    readBody,
  );
}

/**
 * Reads a body into one buffer that grows with it. Not Fastify's own reader:
 * that one keeps each chunk as it came, and a body that is sent byte by byte
 * takes two hundred times its size.
 */
function readBody(
  request: FastifyRequest,
  payload: IncomingMessage,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const bodyLimit = bodyBytesOf(request);
  if (Number(request.headers["content-length"]) > bodyLimit) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    return;
  }
  let body: Buffer = noBody;
  let length = 0;
  const onData = (chunk: Buffer) => {
    const end = length + chunk.length;
    if (end > bodyLimit) {
      finish(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      return;
    }
    if (length === 0) body = chunk;
    else {
      if (end > body.length) body = grown(body, length, end);
      chunk.copy(body, length);
    }
    length = end;
  };
  const onEnd = () => finish(null);
  const finish = (error: Error | null) => {
    payload.off("data", onData).off("end", onEnd).off("error", finish);
    if (error) done(error);
    else done(null, body.subarray(0, length));
  };
  payload.on("data", onData).on("end", onEnd).on("error", finish);
}

/** A larger buffer with the first `length` bytes of this one. */
function grown(body: Buffer, length: number, atLeast: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(2 * atLeast, 1024));
  body.copy(larger, 0, 0, length);
  return larger;
}

/** The bytes of the body, before {@link parseJsonBody} took their place. */
export function rawBodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : noBody;
}

/** Whether a body comes with the request that Fastify does not read. */
export function hasUnreadBody({ method, headers }: FastifyRequest): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const { "content-length": length = "0", "transfer-encoding": coding } =
    headers;
  return coding !== undefined || length !== "0";
}

/**
 * The bytes of a body that Fastify does not read.
 *
 * @throws RequestError BODY_TOO_LARGE
 */
export async function readUnreadBody(request: FastifyRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Not `for await`: leaving it early would destroy the socket of the answer.
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const { raw } = request;
  raw.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= maxUnreadBodyBytes) chunks.push(chunk);
    else {
      reject(
        new RequestError(
          "BODY_TOO_LARGE",
          `The body of a ${request.method} may have ${maxUnreadBodyBytes} bytes.`,
        ),
      );
    }
  });
  raw.on("end", () => resolve(Buffer.concat(chunks)));
  raw.on("error", reject);
  return await promise;
}

/**
 * Puts JSON where the bytes of the body were; nothing where there were none.
 *
 * @throws RequestError BODY_MALFORMED, BODY_TOO_COMPLEX
 */
export function parseJsonBody(request: FastifyRequest): void {
  const bytes = rawBodyOf(request);
  if (bytes.length === 0) {
    request.body = undefined;
    return;
  }
  const limits = jsonLimitsOf(bodyBytesOf(request));
  const { jsonMembers: members = limits.members } = request.routeOptions.config;
  request.body = parseJson(bytes, { ...limits, members });
}

/**
 * JSON that came from outside, of bounded size.
 *
 * @throws RequestError BODY_MALFORMED, BODY_TOO_COMPLEX
 */
export function parseJson(bytes: Buffer, limits: JsonLimits): unknown {
  if (!isUtf8(bytes)) {
    throw new RequestError(
      "BODY_MALFORMED",
      "The request body is not valid UTF-8.",
    );
  }
  const excess = findExcess(bytes, limits);
  if (excess !== undefined) {
    throw new RequestError(
      "BODY_TOO_COMPLEX",
      `The request body has too much in it: at most ${limits.values} values, ${limits.members} members of objects, and ${limits.depth} lists and objects inside each other.`,
    );
  }
  // RFC 8259 §8.1 allows to pass over a byte order mark.
  const text = bytes.toString().replace(/^\ufeff/, "");
  const body = parseText(text);
  // In UTF-8 half a pair can only be written as an escape.
  const half = escapedSurrogate.test(text) ? findHalfPair(body) : undefined;
  if (half === undefined) return body;
  throw new RequestError(
    "BODY_MALFORMED",
    `The body has half of a surrogate pair (${half}); send whole characters.`,
  );
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RequestError(
      "BODY_MALFORMED",
      "The request body is not valid JSON.",
      { cause },
    );
  }
}

const escapedSurrogate = /\\u[dD][89a-fA-F]/;

/**
 * The first half of a surrogate pair in a text or a name of a member, as an
 * escape such as `\ud800`; no UTF-8 has it, so it would be kept as U+FFFD.
 *
 * @param value JSON, of bounded depth
 */
function findHalfPair(value: unknown): string | undefined {
  if (typeof value === "string") return halfPairOf(value);
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const half = halfPairOf(name) ?? findHalfPair(member);
    if (half !== undefined) return half;
  }
  return undefined;
}

function halfPairOf(text: string): string | undefined {
  if (text.isWellFormed()) return undefined;
  const [half = ""] = /\p{Surrogate}/u.exec(text) ?? [];
  return `\\u${half.charCodeAt(0).toString(16)}`;
}
