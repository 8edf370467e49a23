/**
 * Delivers by HTTP, from the recipient to the result. Fan-out spends its time
 * here: what an attempt costs beyond writing and reading is a few small objects,
 * and neither a timer nor a stream nor an abort signal of its own.
 */

import {
  type AttemptResult,
  type AttemptSignals,
  type AttemptTimings,
  type DeadlineEntry,
  DeadlineQueue,
  deadlineSlackMs,
  type Recipient,
} from "@carillon/core";
import { BodyBuffer, parseRetryAfter } from "@carillon/gateway";
import { excerptOfBody } from "../answer-text.ts";
import type { EgressConnector } from "../egress/egress-connector.ts";
import {
  type AnswerHeaders,
  limitsForBody,
  parseHeaders,
} from "../http-client/answer-reader.ts";
import type { RequestMemory } from "../http-client/connection.ts";
import {
  ConnectionPool,
  type PooledRequest,
} from "../http-client/connection-pool.ts";
import { InvalidHeaderError } from "../http-client/request-bytes.ts";
import { secretsOfRequest, toRequestTarget } from "../request-target.ts";
import {
  type RequestRecipient,
  type RequestTemplate,
  type WebhookSigning,
  writeRequest,
} from "./content.ts";
import {
  type AnswerDetails,
  describeLocation,
  outcomeOfAnswer,
  outcomeOfError,
  outcomeOfTimeout,
} from "./outcome.ts";

export interface HttpAttemptsOptions extends WebhookSigning {
  readonly connect: EgressConnector;
  /** For a whole attempt: connection, request and answer. */
  readonly timeoutMs: number;
  /** Of an answer's body; a longer one ends the connection. */
  readonly maxResponseBytes: number;
  readonly connectionsPerOrigin: number;
  readonly idleConnections: number;
}

/** Makes attempts, and ends those that take too long. */
export class HttpAttempts {
  readonly options: HttpAttemptsOptions;
  readonly pool: ConnectionPool;
  readonly deadlines: DeadlineQueue<HttpAttempt>;
  /** Signals of engines that were listened to. */
  readonly #watched = new WeakSet<AbortSignal>();
  #lastWatched: AbortSignal | undefined;
  #isClosed = false;

  constructor(options: HttpAttemptsOptions) {
    this.options = options;
    this.deadlines = new DeadlineQueue(options.clock, options.timeoutMs);
    this.pool = new ConnectionPool({
      ...limitsForBody(options.maxResponseBytes),
      connect: options.connect,
      clock: options.clock,
      maxPerOrigin: options.connectionsPerOrigin,
      maxIdle: options.idleConnections,
    });
  }

  /** One attempt: resolves with what came of it, never rejects. */
  make(
    template: RequestTemplate,
    recipient: Recipient,
    signals?: AttemptSignals,
  ): Promise<AttemptResult> {
    const { subscriptionId, extension, signature, endpoint } = recipient;
    const target = toRequestTarget(endpoint);
    const isUnknown = subscriptionId === undefined && !template.isDirect;
    if (isUnknown || target === undefined) {
      return Promise.resolve(noEndpoint);
    }
    const signal = signals?.engineSignal;
    if (this.#isClosed || signal?.aborted) return Promise.resolve(interrupted);
    // One comparison for each attempt, one listener for each engine.
    if (signal !== this.#lastWatched) this.#watch(signal);
    return new Promise((resolve) => {
      const attempt = new HttpAttempt(
        this,
        template,
        { subscriptionId, extension, signature, endpoint, target },
        resolve,
        signal,
      );
      this.deadlines.add(attempt);
      this.pool.start(target.origin, attempt);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const attempt of this.deadlines.drain()) attempt.interrupt();
    this.pool.close();
  }

  #watch(signal: AbortSignal | undefined): void {
    this.#lastWatched = signal;
    if (signal === undefined || this.#watched.has(signal)) return;
    this.#watched.add(signal);
    signal.addEventListener("abort", () => this.#interrupt(signal), {
      once: true,
    });
  }

  /** Ends the attempts of an engine that does not wait for them any more. */
  #interrupt(signal: AbortSignal): void {
    const attempts = this.deadlines
      .list()
      .filter(({ engineSignal }) => engineSignal === signal);
    for (const attempt of attempts) attempt.interrupt();
    // Only now: a connection that comes free is for those that are left.
    for (const attempt of attempts) this.pool.discard(attempt);
  }
}

type MutableTimings = {
  -readonly [Key in keyof AttemptTimings]: AttemptTimings[Key];
};

/** The result of an attempt that its engine, or the channel, ended. */
export const interrupted: AttemptResult = {
  outcome: "deferred",
  errorClass: "interrupted",
  error: "The service was shutting down.",
};

/** One request on its way, and what came back so far. */
class HttpAttempt implements PooledRequest, DeadlineEntry<HttpAttempt> {
  connection: PooledRequest["connection"] = undefined;
  deadlineAt = 0;
  earlier: HttpAttempt | undefined = undefined;
  later: HttpAttempt | undefined = undefined;
  readonly engineSignal: AbortSignal | undefined;
  readonly #attempts: HttpAttempts;
  readonly #template: RequestTemplate;
  readonly #recipient: RequestRecipient;
  readonly #resolve: (result: AttemptResult) => void;
  /** 0 until the header of the answer is there. */
  #statusCode = 0;
  /** Of an answer that is no 2xx. */
  #headers: AnswerHeaders = {};
  #retryAfterMs: number | undefined;
  #received = 0;
  /** Of an answer that is no 2xx. */
  #body: BodyBuffer | undefined;
  #isRestarted = false;
  #isSettled = false;
  /** In monotonic time; 0 until the request is written. */
  #sentAt = 0;
  #firstByteMs: number | undefined;

  constructor(
    attempts: HttpAttempts,
    template: RequestTemplate,
    recipient: RequestRecipient,
    resolve: (result: AttemptResult) => void,
    engineSignal: AbortSignal | undefined,
  ) {
    this.engineSignal = engineSignal;
    this.#attempts = attempts;
    this.#template = template;
    this.#recipient = recipient;
    this.#resolve = resolve;
  }

  get isWanted(): boolean {
    const { clock } = this.#attempts.options;
    // With so little time left it would only be cut off.
    return (
      !this.#isSettled && clock.monotonic() + deadlineSlackMs < this.deadlineAt
    );
  }

  write(authority: string, memory: RequestMemory): Buffer {
    this.#sentAt = this.#attempts.options.clock.monotonic();
    return writeRequest(
      this.#template,
      this.#recipient,
      authority,
      memory,
      this.#attempts.options,
    );
  }

  settle(result: AttemptResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#attempts.deadlines.remove(this);
    this.#resolve(result);
  }

  expire(): void {
    const { pool, options } = this.#attempts;
    if (this.#statusCode !== 0) this.#settleByAnswer();
    else if (this.connection === undefined) this.settle(laneFull);
    else this.settle(this.#timed(outcomeOfTimeout(options.timeoutMs)));
    pool.discard(this);
  }

  /** Settles it at once; its connection is the caller's to close. */
  interrupt(): void {
    if (this.#statusCode !== 0) this.#settleByAnswer();
    else this.settle(interrupted);
  }

  onHead(statusCode: number, head: string): void {
    this.#statusCode = statusCode;
    const now = this.#attempts.options.clock.monotonic();
    this.#firstByteMs = Math.round(now - this.#sentAt);
    if (statusCode < 300) return;
    this.#body = new BodyBuffer(this.#attempts.options.maxResponseBytes);
    this.#headers = parseHeaders(head);
    this.#retryAfterMs = parseRetryAfter(
      firstOf(this.#headers["retry-after"]),
      this.#attempts.options.clock.now(),
    );
  }

  onData(bytes: Buffer): void {
    if (this.#isSettled) return;
    const room = this.#attempts.options.maxResponseBytes - this.#received;
    this.#received += bytes.length;
    this.#body?.add(bytes.subarray(0, room));
    if (bytes.length <= room) return;
    this.#settleByAnswer();
    this.#attempts.pool.discard(this);
  }

  onEnd(): void {
    if (this.#isSettled) return;
    this.#settleByAnswer();
    this.#attempts.pool.release(this);
  }

  onError(error: Error): void {
    if (this.#isSettled) return;
    if (this.#isDeadConnection() && !(error instanceof InvalidHeaderError)) {
      this.#isRestarted = true;
      this.#attempts.pool.restart(this);
      return;
    }
    // A status that came counts even if the rest of the answer did not: a
    // receiver that said 200 has the message.
    if (this.#statusCode !== 0) this.#settleByAnswer();
    else this.settle(this.#timed(outcomeOfError(error)));
    this.#attempts.pool.discard(this);
  }

  /**
   * Servers close idle connections, at times just when a request is on its way.
   * It will hardly have been worked on; sent again at once, over another
   * connection, it is no later than the rest.
   */
  #isDeadConnection(): boolean {
    const { connection } = this;
    return (
      connection !== undefined &&
      connection.answers > 0 &&
      !connection.reader.hasReceived &&
      !this.#isRestarted
    );
  }

  #settleByAnswer(): void {
    this.settle(
      this.#timed(outcomeOfAnswer(this.#statusCode, this.#details())),
    );
  }

  /**
   * Sets what was measured, in a result that is this attempt's alone: another
   * object would cost each attempt more than the measuring. A connection that
   * was kept took no time to open.
   */
  #timed(result: AttemptResult): AttemptResult {
    const timed: MutableTimings = result;
    if (this.#firstByteMs !== undefined) timed.firstByteMs = this.#firstByteMs;
    const { connection } = this;
    if (connection === undefined || connection.answers > 0) return result;
    const { dnsMs, connectMs, tlsMs } = connection.opening;
    if (dnsMs !== undefined) timed.dnsMs = dnsMs;
    if (connectMs !== undefined) timed.connectMs = connectMs;
    if (tlsMs !== undefined) timed.tlsMs = tlsMs;
    return result;
  }

  #details(): AnswerDetails | undefined {
    if (this.#body === undefined) return undefined;
    const headers = this.#headers;
    const location = firstOf(headers.location);
    const { endpoint, extension, target } = this.#recipient;
    const secrets = secretsOfRequest(endpoint, extension?.header);
    return {
      retryAfterMs: this.#retryAfterMs,
      ...(this.#statusCode < 400 &&
        location !== undefined && {
          location: describeLocation(location, target.path, secrets),
        }),
      text: excerptOfBody(Buffer.from(this.#body.octets()), headers, {
        secrets,
      }),
    };
  }
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "object" ? header[0] : header;
}

const noEndpoint: AttemptResult = {
  outcome: "rejected",
  errorClass: "internal",
  error: "A subscription with a URL as its endpoint is needed.",
};

const laneFull: AttemptResult = {
  outcome: "deferred",
  errorClass: "lane_full",
  error: "No connection to the endpoint's server was free in time.",
};
