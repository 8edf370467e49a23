/**
 * Lets an HTTP client read final answers only. RFC 9110 §15.2: a client must
 * be able to parse interim answers (1xx) that it did not expect; undici ends
 * the connection at an unexpected `100 Continue`. What is read for a request
 * is bounded here as well: undici counts neither empty lines nor blanks, reason
 * phrases, chunk extensions or interim answers.
 */

import type { Socket } from "node:net";

/** What may be read for one request. */
export interface AnswerLimits {
  /** Bytes on the wire: interim answers, headers and the body's framing too. */
  readonly maxAnswerBytes: number;
  /** Bytes before the final status line. Default 16,384. */
  readonly maxInterimBytes?: number;
  /** Interim answers to one request. Default 32. */
  readonly maxInterimAnswers?: number;
}

/** Which bound an answer exceeded, or which rule it broke. */
export type AnswerRefusal =
  | "INTERIM_ANSWERS_EXCEEDED"
  | "PROTOCOL_SWITCHED"
  | "ANSWER_TOO_LARGE";

/** What the socket of a refused answer is destroyed with. */
export class AnswerRefusedError extends Error {
  override readonly name = "AnswerRefusedError";
  readonly code: AnswerRefusal;

  constructor(code: AnswerRefusal) {
    super(messages[code]);
    this.code = code;
  }
}

const messages: Readonly<Record<AnswerRefusal, string>> = {
  INTERIM_ANSWERS_EXCEEDED: "Interim answers came without a final one",
  PROTOCOL_SWITCHED: "The other side switched protocols unasked",
  ANSWER_TOO_LARGE: "The answer is larger than any that is read",
};

/**
 * Makes the socket's `read()` leave out interim answers. To be called before an
 * HTTP/1.1 client gets the socket; the client reads with `read()` and writes a
 * request, all of it, when the answer to the one before is complete.
 *
 * @param onInterim called when an interim answer begins
 */
export function readFinalAnswers(
  socket: Socket,
  limits: AnswerLimits,
  onInterim?: () => void,
): void {
  const filter = new InterimFilter(limits, onInterim);
  const { maxAnswerBytes } = limits;
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket);
  let received = 0;

  socket.write = (
    data: string | Uint8Array,
    encoding?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ) => {
    received = 0;
    filter.expectAnswer();
    return typeof encoding === "function"
      ? write(data, undefined, encoding)
      : write(data, encoding, callback);
  };

  function refuse(refusal: AnswerRefusal): null {
    socket.destroy(new AnswerRefusedError(refusal));
    return null;
  }

  socket.read = (size) => {
    // Node's own calls ask the system for more and take nothing.
    if (size !== undefined) return read(size);
    for (;;) {
      const chunk: Buffer | null = read();
      if (chunk === null) return null;
      // Not with the chunk that exceeds it: the status may be in that one.
      if (received > maxAnswerBytes) return refuse("ANSWER_TOO_LARGE");
      received += chunk.length;
      const rest = filter.isFinal ? chunk : filter.pass(chunk);
      if (typeof rest === "string") return refuse(rest);
      if (rest !== undefined) return rest;
    }
  };
}

type WriteCallback = (error?: Error | null) => void;

/** Where the status stands in `HTTP/1.1 100`, and what it is long with it. */
const statusAt = 9;
const statusEnd = 12;

const lf = 0x0a;
const cr = 0x0d;
const one = 0x31;
const nothing = Buffer.alloc(0);

/**
 * Takes interim answers out of a stream of bytes:
 *
 *     status line ─ 1xx → header, left out up to its empty line ┐
 *      ↑   │                                                    │
 *      │   └ anything else → final, all passes until expectAnswer()
 *      └────────────────────────────────────────────────────────┘
 */
class InterimFilter {
  /** Whether all passes: the final status line has come, or none is awaited. */
  isFinal = true;
  readonly #maxBytes: number;
  readonly #maxAnswers: number;
  readonly #onInterim: (() => void) | undefined;
  /** A status line whose status is not complete yet. */
  #begun = nothing;
  #isInHeader = false;
  /** Characters so far on the header's current line. */
  #lineLength = 0;
  #answers = 0;
  #leftOut = 0;

  constructor(limits: AnswerLimits, onInterim: (() => void) | undefined) {
    this.#maxBytes = limits.maxInterimBytes ?? 16_384;
    this.#maxAnswers = limits.maxInterimAnswers ?? 32;
    this.#onInterim = onInterim;
  }

  expectAnswer(): void {
    this.isFinal = false;
    this.#begun = nothing;
    this.#isInHeader = false;
    this.#answers = 0;
    this.#leftOut = 0;
  }

  /** Answers what is left of a chunk; `undefined` when that is nothing. */
  pass(chunk: Buffer): Buffer | AnswerRefusal | undefined {
    const bytes =
      this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    this.#begun = nothing;
    let at = 0;
    while (
      at < bytes.length &&
      !this.isFinal &&
      this.#answers <= this.#maxAnswers
    ) {
      if (this.#isInHeader) {
        at = this.#skipHeader(bytes, at);
        continue;
      }
      // Empty lines before a status line are passed over (RFC 9112 §2.2).
      if (bytes[at] === cr || bytes[at] === lf) {
        at++;
        continue;
      }
      const status = interimStatus(bytes, at);
      if (status === 101) return "PROTOCOL_SWITCHED";
      if (status === undefined) this.isFinal = true;
      else if (status === "incomplete") {
        this.#begun = Buffer.from(bytes.subarray(at));
        break;
      } else {
        this.#answers++;
        this.#isInHeader = true;
        this.#lineLength = statusEnd;
        at += statusEnd;
        this.#onInterim?.();
      }
    }
    this.#leftOut += at;
    if (this.#leftOut > this.#maxBytes || this.#answers > this.#maxAnswers) {
      return "INTERIM_ANSWERS_EXCEEDED";
    }
    if (!this.isFinal) return undefined;
    return at === 0 ? bytes : bytes.subarray(at);
  }

  /** Answers where the header ends, or the end of the bytes. */
  #skipHeader(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === lf) {
        if (this.#lineLength === 0) {
          this.#isInHeader = false;
          return at + 1;
        }
        this.#lineLength = 0;
      } else if (byte !== cr) this.#lineLength++;
    }
    return bytes.length;
  }
}

/** The status of a status line if it is 1xx; what is no HTTP has none. */
function interimStatus(
  bytes: Buffer,
  at: number,
): number | "incomplete" | undefined {
  const first = bytes[at + statusAt];
  // The usual case, at the cost of one comparison.
  if (first !== undefined && first !== one) return undefined;
  const length = Math.min(bytes.length - at, statusEnd);
  const line = bytes.toString("latin1", at, at + length);
  if (!isBeginning(line)) return undefined;
  return length < statusEnd ? "incomplete" : Number(line.slice(statusAt));
}

/** Whether a text is `HTTP/1.1 1xx` or the beginning of it. */
function isBeginning(line: string): boolean {
  return /^HTTP\/1\.[01] 1\d\d$/.test(line + "HTTP/1.1 100".slice(line.length));
}
