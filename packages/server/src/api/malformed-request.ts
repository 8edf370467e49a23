/**
 * Answers to what is no whole request, which no route sees: in the shape of the
 * API that its path belongs to, as far as a path was read.
 */

import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import type { NewId } from "@carillon/core";
import { type RequestErrorCode, requestErrorCatalogue } from "../errors.ts";
import { jsonContentType } from "./http-app.ts";
import { toKeystoneErrorBody } from "./identity/error-answers.ts";
import { toPullErrorBody } from "./pull/error-answers.ts";
import { toErrorBody } from "./smn/error-answers.ts";
import { smnErrorCodes } from "./smn/error-codes.ts";
import { problemContentType, toProblem } from "./v2/error-answers.ts";

/** What a request can lack before it is one. */
export type MalformedCode = Extract<
  RequestErrorCode,
  | "REQUEST_INVALID"
  | "REQUEST_TIMED_OUT"
  | "HEADERS_TOO_LARGE"
  | "EXPECTATION_UNKNOWN"
>;

export interface MalformedRequests {
  /** Of what Node has parsed, and would answer without a body. */
  refuse(code: MalformedCode): RequestListener;
  /** Of what Node could not parse, or waited for too long: ends the connection. */
  onClientError(error: Error, socket: Socket): void;
}

export function createMalformedRequests({
  newRequestId,
  publicUrl,
}: {
  readonly newRequestId: NewId;
  readonly publicUrl: () => string | undefined;
}): MalformedRequests {
  const { STATUS_CODES } = process.getBuiltinModule("node:http");

  function answerTo(code: MalformedCode, path: string) {
    const id = newRequestId();
    const { status, code: smnCode } = smnErrorCodes[code];
    const detail = `${requestErrorCatalogue[code]}.`;
    // Without an address of its own the server's paths are relative ones.
    const origin = publicUrl()?.replace(/\/+$/, "") ?? "";
    const api = apiOf(path);
    const body =
      api === "v2"
        ? toProblem(origin, code, status, detail, id)
        : api === "identity"
          ? toKeystoneErrorBody(status, detail)
          : api === "pull"
            ? toPullErrorBody(detail)
            : toErrorBody(id, smnCode, detail);
    const headers = {
      "content-type": api === "v2" ? problemContentType : jsonContentType,
      "content-length": Buffer.byteLength(body),
      "x-request-id": id,
      "x-openstack-request-id": id,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      connection: "close",
    };
    return { status, headers, body };
  }

  return {
    refuse: (code) => (request, response) => {
      const { status, headers, body } = answerTo(code, request.url ?? "");
      response.writeHead(status, headers).end(body);
    },
    onClientError(error, socket) {
      const code = "code" in error ? error.code : undefined;
      if (code === "ECONNRESET" || socket.destroyed) return;
      if (socket.writable) {
        const answer = answerTo(codeOf(code), pathIn(error));
        const lines = Object.entries(answer.headers).map(
          ([name, value]) => `${name}: ${value}\r\n`,
        );
        const { status, body } = answer;
        socket.write(
          `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`,
        );
      }
      socket.destroy(error);
    },
  };
}

/** The API that answers for a path; what belongs to none answers as SMN does. */
export function apiOf(path: string): "v2" | "pull" | "identity" | "smn" {
  if (path.startsWith("/api/v2/")) return "v2";
  if (path.startsWith("/api/v1/")) return "pull";
  return path.startsWith("/v3/") ? "identity" : "smn";
}

/** By the code of Node's error. */
function codeOf(code: unknown): MalformedCode {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "REQUEST_TIMED_OUT";
    case "HPE_HEADER_OVERFLOW":
      return "HEADERS_TOO_LARGE";
    default:
      return "REQUEST_INVALID";
  }
}

/** Where what could not be parsed begins with a request line; else empty. */
function pathIn(error: Error): string {
  const packet = "rawPacket" in error ? error.rawPacket : undefined;
  if (!Buffer.isBuffer(packet)) return "";
  const line = packet.toString("latin1", 0, 64);
  return /^[A-Z]+ (\/\S*)/.exec(line)?.[1] ?? "";
}
