/**
 * Reads the answers to HTTP/1.1 requests, in whatever pieces they come (RFC 9112),
 * within bounds. Interim answers (1xx) are left out: a client must be able to
 * parse those that it did not expect (RFC 9110 §15.2).
 *
 *     head ── 1xx ───────────────→ head
 *      ├───── no body ───────────→ complete
 *      ├───── Content-Length ────→ rest ──────→ complete
 *      ├───── no length ─────────→ until-end ─→ complete, with the connection
 *      └───── chunked ───────────→ size-line ─→ data → after-data ─→ size-line
 *                                      └ 0 ───→ trailer ─→ complete
 */

/** What may be read for one request. */
export interface AnswerLimits {
  /** Bytes on the wire: interim answers, headers and the body's framing too. */
  readonly maxAnswerBytes: number;
}

/** Of interim answers and the final one's head; of a trailer as well. */
const maxHeadBytes = 16_384;

const maxInterimAnswers = 32;

/** For an answer whose body may have so many bytes, however it is framed. */
export function limitsForBody(maxBodyBytes: number): AnswerLimits {
  // On the wire, a chunk with one byte of a body takes six.
  return { maxAnswerBytes: 4 * maxHeadBytes + 8 * maxBodyBytes };
}

/** Takes the parts of a final answer, in this order. */
export interface AnswerHandler {
  /** @param head its text, for {@link parseHeaders} */
  onHead(statusCode: number, head: string): void;
  /** @param bytes valid during the call only */
  onData(bytes: Buffer): void;
  onEnd(): void;
}

/** Names in lower case; a list where a name came more than once. */
export type AnswerHeaders = Readonly<
  Record<string, string | string[] | undefined>
>;

export type AnswerErrorCode =
  | "NOT_HTTP"
  | "HEAD_TOO_LARGE"
  | "INTERIM_ANSWERS_EXCEEDED"
  | "PROTOCOL_SWITCHED"
  | "ANSWER_TOO_LARGE"
  | "CLOSED_EARLY";

/** Why an answer cannot be read to its end. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  readonly code: AnswerErrorCode;

  constructor(code: AnswerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

type State =
  | "idle"
  | "head"
  | "rest"
  | "until-end"
  | "size-line"
  | "data"
  | "after-data"
  | "trailer"
  | "complete";

const lf = 0x0a;
const cr = 0x0d;
const semicolon = 0x3b;
const nothing = Buffer.alloc(0);
const noHandler: AnswerHandler = { onHead() {}, onData() {}, onEnd() {} };

/** Reads one answer after another. */
export class AnswerReader {
  /** Whether the connection may carry another request, once this one's answer is complete. */
  isReusable = false;
  /** How long the other side will keep the connection, if it said so. */
  keepAliveMs: number | undefined;
  /** Whether anything came for this request, be it an interim answer. */
  hasReceived = false;
  readonly #limits: AnswerLimits;
  #handler = noHandler;
  #state: State = "idle";
  #received = 0;
  #interims = 0;
  /** Of all heads to this request; in its trailer, of that. */
  #headBytes = 0;
  /** The beginning of a head that is not complete. */
  #begun: Buffer = nothing;
  #begunLength = 0;
  #isPersistent = false;
  /** Of the body, or of the chunk. */
  #missing = 0;
  /** Of the line that is read: digits of a chunk's size, characters of a trailer. */
  #lineLength = 0;
  #isExtension = false;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
  }

  /** To be called with each request; not for HEAD, whose answers have no body. */
  expect(handler: AnswerHandler): void {
    this.#handler = handler;
    this.#state = "head";
    this.#received = 0;
    this.#interims = 0;
    this.#headBytes = 0;
    this.#begunLength = 0;
    this.hasReceived = false;
    this.isReusable = false;
    this.keepAliveMs = undefined;
  }

  /** What comes from now on is for nobody. */
  stop(): void {
    this.#handler = noHandler;
  }

  /**
   * Reads the bytes of a buffer up to `end`.
   *
   * @throws AnswerError
   */
  read(bytes: Buffer, end: number): void {
    this.hasReceived = true;
    // Not with the bytes that exceed it: the status may be among them.
    if (this.#received > this.#limits.maxAnswerBytes) {
      throw new AnswerError("ANSWER_TOO_LARGE", "The answer is too large");
    }
    this.#received += end;
    let at = 0;
    while (at < end) {
      at = this.#readPart(bytes, at, end);
      if (this.#state === "complete") {
        this.#complete(this.#isPersistent && at === end);
        return;
      }
    }
  }

  /**
   * To be called when the other side will send no more.
   *
   * @throws AnswerError CLOSED_EARLY
   */
  end(): void {
    if (this.#state === "until-end") this.#complete(false);
    else {
      throw new AnswerError(
        "CLOSED_EARLY",
        "The connection was closed before the end of the answer",
      );
    }
  }

  // The handler may send the next request from within `onEnd`.
  #complete(isReusable: boolean): void {
    this.#state = "idle";
    this.isReusable = isReusable;
    this.#handler.onEnd();
  }

  /** Returns where the next part begins. */
  #readPart(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes, at, end);
      case "rest":
      case "data":
      case "until-end":
        return this.#readData(bytes, at, end);
      case "size-line":
        return this.#readSizeLine(bytes, at, end);
      case "after-data":
        return this.#readLineAfterData(bytes, at);
      case "trailer":
        return this.#readTrailer(bytes, at, end);
      default:
        // More than was asked for: what is it an answer to?
        this.isReusable = false;
        return end;
    }
  }

  #readHead(bytes: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#begunLength === 0) {
      // Empty lines before a status line are passed over (RFC 9112 §2.2).
      while (at < end && (bytes[at] === cr || bytes[at] === lf)) at++;
      this.#countHead(at - from);
      const headEnd = endOfHead(bytes, at, end);
      if (headEnd === undefined) return this.#readPartOfHead(bytes, at, end);
      this.#takeHead(bytes.toString("latin1", at, headEnd));
      return headEnd;
    }
    return this.#readPartOfHead(bytes, at, end);
  }

  #readPartOfHead(bytes: Buffer, at: number, end: number): number {
    const before = this.#begunLength;
    const length = before + end - at;
    if (length > this.#begun.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * length, 1024));
      this.#begun.copy(larger, 0, 0, before);
      this.#begun = larger;
    }
    bytes.copy(this.#begun, before, at, end);
    statusOf(
      this.#begun.toString("latin1", 0, Math.min(length, statusLine.length)),
    );
    // The end may have been there but for its last one or two characters.
    const headEnd = endOfHead(this.#begun, Math.max(before - 2, 0), length);
    if (headEnd === undefined) {
      this.#begunLength = length;
      this.#checkHeadBytes(this.#headBytes + length);
      return end;
    }
    const head = this.#begun.toString("latin1", 0, headEnd);
    this.#begun = nothing;
    this.#begunLength = 0;
    this.#takeHead(head);
    return at + headEnd - before;
  }

  #takeHead(head: string): void {
    this.#countHead(head.length);
    const statusCode = statusOf(head);
    if (statusCode >= 200) this.#begin(statusCode, head);
    else if (statusCode === 101) {
      throw new AnswerError(
        "PROTOCOL_SWITCHED",
        "The other side switched protocols unasked",
      );
    } else if (++this.#interims > maxInterimAnswers) throw tooManyInterims();
  }

  /** RFC 9112 §6.3: where the body ends. */
  #begin(statusCode: number, head: string): void {
    const { isPersistent, keepAliveMs, coding, length } = framingOf(head);
    this.#isPersistent = isPersistent;
    this.keepAliveMs = keepAliveMs;
    if (statusCode === 204 || statusCode === 304) {
      this.#state = "complete";
    } else if (coding !== "") {
      const isChunked = /(?:^|[,\s])chunked$/.test(coding);
      this.#state = isChunked ? "size-line" : "until-end";
      this.#missing = 0;
      this.#lineLength = 0;
      this.#isExtension = false;
    } else if (length !== undefined) {
      this.#missing = length;
      this.#state = length === 0 ? "complete" : "rest";
    } else this.#state = "until-end";
    this.#handler.onHead(statusCode, head);
  }

  #readData(bytes: Buffer, at: number, end: number): number {
    if (this.#state === "until-end") {
      this.#handler.onData(bytes.subarray(at, end));
      return end;
    }
    const stop = Math.min(end, at + this.#missing);
    this.#missing -= stop - at;
    if (this.#missing === 0) {
      this.#state = this.#state === "rest" ? "complete" : "after-data";
    }
    this.#handler.onData(bytes.subarray(at, stop));
    return stop;
  }

  /** The size in hexadecimal digits; what follows it says nothing to us. */
  #readSizeLine(bytes: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === lf) {
        if (this.#lineLength === 0) throw badChunk();
        this.#state = this.#missing === 0 ? "trailer" : "data";
        this.#lineLength = 0;
        this.#isExtension = false;
        if (this.#missing === 0) this.#headBytes = 0;
        return at + 1;
      }
      if (this.#isExtension) continue;
      const digit = hexDigit(byte);
      if (digit !== undefined) {
        if (++this.#lineLength > 8) throw badChunk();
        this.#missing = this.#missing * 16 + digit;
      } else if (
        this.#lineLength > 0 &&
        (byte === semicolon || byte === cr || byte === 0x20 || byte === 0x09)
      ) {
        this.#isExtension = true;
      } else throw badChunk();
    }
    return end;
  }

  #readLineAfterData(bytes: Buffer, at: number): number {
    if (bytes[at] === lf) this.#state = "size-line";
    else if (bytes[at] !== cr) throw badChunk();
    return at + 1;
  }

  #readTrailer(bytes: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const byte = bytes[at];
      if (byte === lf) {
        if (this.#lineLength === 0) {
          this.#state = "complete";
          return at + 1;
        }
        this.#lineLength = 0;
      } else if (byte !== cr) this.#lineLength++;
    }
    this.#countHead(end - from);
    return end;
  }

  #countHead(bytes: number): void {
    this.#headBytes += bytes;
    this.#checkHeadBytes(this.#headBytes);
  }

  #checkHeadBytes(bytes: number): void {
    if (bytes <= maxHeadBytes) return;
    throw this.#interims > 0
      ? tooManyInterims()
      : new AnswerError("HEAD_TOO_LARGE", "The answer's header is too large");
  }
}

/** The headers of a head, without its status line. */
export function parseHeaders(head: string): AnswerHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const line of unfolded(head).split("\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else if (typeof earlier === "string") headers[name] = [earlier, value];
    else earlier.push(value);
  }
  return headers;
}

/** What of a head says how the body ends, and the connection. */
interface Framing {
  readonly isPersistent: boolean;
  readonly keepAliveMs: number | undefined;
  /** In lower case; empty for none. */
  readonly coding: string;
  readonly length: number | undefined;
}

const framingField =
  /\n(connection|content-length|keep-alive|transfer-encoding)[ \t]*:[ \t]*([^\r\n]*)/gi;

function framingOf(head: string): Framing {
  const text = unfolded(head);
  const isOld = text.startsWith("HTTP/1.0");
  let closes = false;
  let isKept = !isOld;
  let keepAliveMs: number | undefined;
  let coding = "";
  let length: number | undefined;
  framingField.lastIndex = 0;
  for (;;) {
    const match = framingField.exec(text);
    if (match === null) break;
    const value = match[2] ?? "";
    switch (match[1]?.toLowerCase()) {
      case "connection":
        if (/\bclose\b/i.test(value)) closes = true;
        else if (/\bkeep-alive\b/i.test(value)) isKept = true;
        break;
      case "content-length":
        length = contentLength(value, length);
        break;
      case "keep-alive":
        keepAliveMs = timeoutOf(value);
        break;
      default:
        coding = value.trim().toLowerCase();
    }
  }
  // Before RFC 7230, "identity" stood for none.
  if (coding === "identity") coding = "";
  // A coding was not known then, and what frames the body is not sure (§6.1).
  if (coding !== "" && (isOld || length !== undefined)) closes = true;
  return { isPersistent: isKept && !closes, keepAliveMs, coding, length };
}

/** A list of the same number is that number (RFC 9110 §8.6). */
function contentLength(value: string, earlier: number | undefined): number {
  const numbers = value.includes(",") ? value.split(",") : [value];
  let length = earlier;
  for (const digits of numbers) {
    const number = /^\s*\d{1,15}\s*$/.test(digits)
      ? Number(digits)
      : Number.NaN;
    length ??= number;
    if (length !== number) {
      throw new AnswerError("NOT_HTTP", "its Content-Length is not one number");
    }
  }
  return length ?? 0;
}

/** Milliseconds of `timeout=5`; a server that says nothing of use says nothing. */
function timeoutOf(keepAlive: string): number | undefined {
  const [, seconds] = /\btimeout=(\d{1,6})\b/i.exec(keepAlive) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** Lines that begin with a blank belong to the one before (RFC 9112 §5.2). */
function unfolded(head: string): string {
  return head.includes("\n ") || head.includes("\n\t")
    ? head.replace(/\r?\n[ \t]+/g, " ")
    : head;
}

/** After the empty line that ends a head; its lines may end in a bare LF. */
function endOfHead(
  bytes: Buffer,
  from: number,
  end: number,
): number | undefined {
  let at = bytes.indexOf(lf, from);
  while (at !== -1 && at < end) {
    if (at + 1 < end && bytes[at + 1] === lf) return at + 2;
    if (at + 2 < end && bytes[at + 1] === cr && bytes[at + 2] === lf) {
      return at + 3;
    }
    at = bytes.indexOf(lf, at + 1);
  }
  return undefined;
}

/**
 * The status of a status line. As soon as one of its characters is wrong it is
 * none: a server of another protocol may wait for us to speak.
 *
 * @param text the line, more than it, or its beginning
 */
function statusOf(text: string): number {
  const line =
    text.length < statusLine.length
      ? text + statusLine.slice(text.length)
      : text;
  if (!/^HTTP\/1\.[01] [1-9]\d\d[ \r\n]/.test(line)) {
    throw new AnswerError(
      "NOT_HTTP",
      "its first line is no status line of HTTP/1.1",
    );
  }
  return Number(line.slice(9, 12));
}

const statusLine = "HTTP/1.1 200 ";

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

function badChunk(): AnswerError {
  return new AnswerError("NOT_HTTP", "its body is not chunked as it says");
}

function tooManyInterims(): AnswerError {
  return new AnswerError(
    "INTERIM_ANSWERS_EXCEEDED",
    "Interim answers came without a final one",
  );
}
