/**
 * The channel of the protocols http and https: one POST per recipient, signed
 * once per message. Fan-out spends its time here, so what a recipient costs
 * beyond undici's own work is a few small objects.
 */

import {
  type AttemptResult,
  type Channel,
  type Clock,
  type Logger,
  type Message,
  type MessageTopic,
  type PreparedMessage,
  type Protocol,
  type Recipient,
  selectText,
} from "@carillon/core";
import type { Dispatcher } from "undici";
import { createEgressConnector } from "../egress/egress-connector.ts";
import type { EgressGuard } from "../egress/egress-guard.ts";
import type { Links } from "../links.ts";
import {
  type BodyMemory,
  ConnectionPool,
  type PooledRequest,
} from "./connection-pool.ts";
import {
  createRequestTemplate,
  fillIn,
  type RequestContent,
  type RequestTemplate,
  textFor,
} from "./content.ts";
import {
  type DeadlineEntry,
  DeadlineQueue,
  deadlineSlackMs,
} from "./deadline-queue.ts";
import {
  outcomeOfAnswer,
  outcomeOfError,
  outcomeOfTimeout,
} from "./outcome.ts";
import { parseRetryAfter } from "./retry-after.ts";
import type { Signer } from "./signing-key.ts";

export interface HttpChannelOptions {
  readonly egress: EgressGuard;
  readonly signer: Signer;
  readonly links: Links;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For a whole try: connection, request and answer. Default 5000. */
  readonly timeoutMs?: number;
  /** Of an answer's body; a longer one ends the connection. Default 4096. */
  readonly maxResponseBytes?: number;
  /** Connections to one origin at once. Default 256. */
  readonly connectionsPerOrigin?: number;
  /** Idle connections kept for the next message, in all. Default 512. */
  readonly idleConnections?: number;
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
}

export function createHttpChannel(options: HttpChannelOptions): Channel {
  return new HttpChannel(options);
}

class HttpChannel implements Channel {
  readonly name = "http";
  readonly protocols = ["http", "https"] as const;
  readonly careful = false;
  readonly timeoutMs: number;
  readonly #options: HttpChannelOptions;
  readonly #tries: Tries;

  constructor(options: HttpChannelOptions) {
    this.#options = options;
    this.#tries = new Tries(options);
    this.timeoutMs = this.#tries.timeoutMs + deadlineSlackMs;
  }

  prepare(message: Message): PreparedMessage {
    return new HttpMessage(message, this.#options, this.#tries);
  }

  close(): Promise<void> {
    return this.#tries.close();
  }
}

/** A message; signed for a protocol when its first recipient comes. */
class HttpMessage implements PreparedMessage {
  readonly #message: Message;
  readonly #options: HttpChannelOptions;
  readonly #tries: Tries;
  readonly #ready = new Map<Protocol, RequestTemplate>();
  /** By text: where http and https say the same, one signature does. */
  readonly #signing = new Map<string, Promise<RequestTemplate>>();

  constructor(message: Message, options: HttpChannelOptions, tries: Tries) {
    this.#message = message;
    this.#options = options;
    this.#tries = tries;
  }

  deliver(recipient: Recipient): Promise<AttemptResult> {
    const template = this.#ready.get(recipient.protocol);
    return template === undefined
      ? this.#signAndDeliver(recipient)
      : this.#tries.make(template, recipient);
  }

  async #signAndDeliver(recipient: Recipient): Promise<AttemptResult> {
    const { topic } = this.#message;
    if (topic === undefined) {
      return rejected("A message without a topic cannot go to an endpoint.");
    }
    const { protocol } = recipient;
    try {
      const template = await this.#sign(protocol, topic);
      this.#ready.set(protocol, template);
      return await this.#tries.make(template, recipient);
    } catch (error) {
      this.#options.logger.error("signing_failed", {
        messageId: this.#message.id,
        error: String(error),
      });
      return {
        outcome: "deferred",
        errorClass: "internal",
        error: "The message could not be signed; the log says why.",
      };
    }
  }

  #sign(protocol: Protocol, topic: MessageTopic): Promise<RequestTemplate> {
    const { content } = this.#message;
    const text = textFor(content, selectText(content, protocol), topic);
    const known = this.#signing.get(text);
    if (known !== undefined) return known;
    const { signer, links } = this.#options;
    const signing = createRequestTemplate(
      this.#message,
      topic,
      text,
      signer,
      links,
    );
    this.#signing.set(text, signing);
    // The next recipient tries again.
    signing.catch(() => this.#signing.delete(text));
    return signing;
  }
}

/** Makes tries, and ends those that take too long. */
class Tries {
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly pool: ConnectionPool;
  readonly deadlines: DeadlineQueue;
  readonly clock: Clock;
  #isClosed = false;

  constructor(options: HttpChannelOptions) {
    this.timeoutMs = options.timeoutMs ?? 5000;
    this.maxResponseBytes = options.maxResponseBytes ?? 4096;
    this.clock = options.clock;
    this.deadlines = new DeadlineQueue(options.clock, this.timeoutMs);
    this.pool = new ConnectionPool({
      connect: createEgressConnector(
        options.egress,
        options.ca === undefined ? {} : { ca: options.ca },
      ),
      maxPerOrigin: options.connectionsPerOrigin ?? 256,
      maxIdle: options.idleConnections ?? 512,
    });
  }

  make(
    template: RequestTemplate,
    recipient: Recipient,
  ): Promise<AttemptResult> {
    const { subscriptionId, extension, endpoint } = recipient;
    const url = URL.parse(endpoint);
    if (subscriptionId === undefined || url === null) {
      return Promise.resolve(
        rejected("A subscription with a URL as its endpoint is needed."),
      );
    }
    if (this.#isClosed) return Promise.resolve(interrupted);
    return new Promise((resolve) => {
      const attempt = new Try(
        this,
        url.pathname + url.search,
        (memory) => fillIn(template, subscriptionId, extension, memory),
        resolve,
      );
      this.deadlines.add(attempt);
      this.pool.start(url.origin, attempt);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const entry of this.deadlines.drain()) {
      if (entry instanceof Try) entry.settle(interrupted);
    }
    await this.pool.close();
  }
}

/** One request on its way, and what came back so far. */
class Try implements PooledRequest, DeadlineEntry {
  connection: PooledRequest["connection"] = undefined;
  deadlineAt = 0;
  earlier: DeadlineEntry | undefined = undefined;
  later: DeadlineEntry | undefined = undefined;
  readonly #tries: Tries;
  readonly #path: string;
  readonly #fillIn: (memory: BodyMemory) => RequestContent;
  readonly #resolve: (result: AttemptResult) => void;
  /** 0 until the header of the final answer is there. */
  #statusCode = 0;
  #retryAfterMs: number | undefined;
  #received = 0;
  #text: Buffer[] | undefined;
  #hasAnswerBegun = false;
  #isRestarted = false;
  #isSettled = false;

  constructor(
    tries: Tries,
    path: string,
    fillIn: (memory: BodyMemory) => RequestContent,
    resolve: (result: AttemptResult) => void,
  ) {
    this.#tries = tries;
    this.#path = path;
    this.#fillIn = fillIn;
    this.#resolve = resolve;
  }

  get isWanted(): boolean {
    return !this.#isSettled && this.#tries.clock.now() < this.deadlineAt;
  }

  write(memory: BodyMemory): Dispatcher.DispatchOptions {
    const { headers, body } = this.#fillIn(memory);
    return { method: "POST", path: this.#path, headers, body };
  }

  settle(result: AttemptResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#tries.deadlines.remove(this);
    this.#resolve(result);
  }

  expire(): void {
    const { pool, timeoutMs } = this.#tries;
    if (this.#statusCode !== 0) this.#settleByAnswer();
    else if (this.connection !== undefined) {
      this.settle(outcomeOfTimeout(timeoutMs));
    } else this.settle(laneFull);
    pool.discard(this);
  }

  /** undici insists on it. */
  onRequestStart(): void {}

  onResponseStarted(): void {
    this.#hasAnswerBegun = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // 103 and its like announce the answer; they are not it.
    if (statusCode < 200) return;
    this.#statusCode = statusCode;
    if (statusCode < 300) return;
    this.#text = [];
    this.#retryAfterMs = parseRetryAfter(
      headers["retry-after"],
      this.#tries.clock.now(),
    );
  }

  onResponseData(
    _controller: Dispatcher.DispatchController,
    chunk: Buffer,
  ): void {
    if (this.#isSettled) return;
    this.#received += chunk.length;
    this.#text?.push(chunk);
    if (this.#received <= this.#tries.maxResponseBytes) return;
    this.#settleByAnswer();
    this.#tries.pool.discard(this);
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    this.#settleByAnswer();
    this.#tries.pool.release(this);
  }

  onResponseError(
    _controller: Dispatcher.DispatchController,
    error: Error,
  ): void {
    if (this.#isSettled) return;
    if (this.#isDeadConnection()) {
      this.#isRestarted = true;
      this.#tries.pool.restart(this);
      return;
    }
    // A status that came counts even if the rest of the answer did not: a
    // receiver that said 200 has the message.
    if (this.#statusCode !== 0) this.#settleByAnswer();
    else this.settle(outcomeOfError(error));
    this.#tries.pool.discard(this);
  }

  /**
   * Servers close idle connections, at times just when a request is on its way.
   * Such a request was not worked on, and another connection will carry it.
   */
  #isDeadConnection(): boolean {
    return (
      this.connection?.isUsed === true &&
      !this.#hasAnswerBegun &&
      !this.#isRestarted
    );
  }

  #settleByAnswer(): void {
    const text = this.#text && Buffer.concat(this.#text).subarray(0, 2048);
    this.settle(
      outcomeOfAnswer({
        statusCode: this.#statusCode,
        retryAfterMs: this.#retryAfterMs,
        ...(text && { text: text.toString() }),
      }),
    );
  }
}

function rejected(error: string): AttemptResult {
  return { outcome: "rejected", errorClass: "internal", error };
}

const interrupted: AttemptResult = {
  outcome: "deferred",
  errorClass: "interrupted",
  error: "The service was shutting down.",
};

const laneFull: AttemptResult = {
  outcome: "deferred",
  errorClass: "lane_full",
  error: "No connection to the endpoint's server was free in time.",
};
