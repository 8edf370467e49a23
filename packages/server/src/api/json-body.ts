/**
 * Request bodies are read as bytes (signatures cover them) and become JSON
 * only once the caller is known.
 */

import { isUtf8 } from "node:buffer";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../errors.ts";
import type { HttpApp } from "./http-app.ts";

/** 2 MiB: a message of 256 KB fits even if each character is escaped. */
export const maxBodyBytes = 2 * 1024 * 1024;

/** 16 KiB: the body of a GET means nothing; clients that sign one send `{}`. */
export const maxUnreadBodyBytes = 16 * 1024;

const noBody = Buffer.alloc(0);

/** Takes bodies of any content type, or none, as bytes. */
export function acceptAnyBody(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "*",
    { parseAs: "buffer", bodyLimit: maxBodyBytes },
    (_request, body, done) => done(null, body),
  );
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
 * @throws RequestError BODY_MALFORMED
 */
export function parseJsonBody(request: FastifyRequest): void {
  const bytes = rawBodyOf(request);
  request.body = bytes.length === 0 ? undefined : parse(bytes);
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) {
    throw new RequestError(
      "BODY_MALFORMED",
      "The request body is not valid UTF-8.",
    );
  }
  try {
    // RFC 8259 §8.1 allows to pass over a byte order mark.
    return JSON.parse(bytes.toString().replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new RequestError(
      "BODY_MALFORMED",
      "The request body is not valid JSON.",
      { cause },
    );
  }
}
