/** A keep-alive connection and, at times, the request on it. */

import { isIP, type Socket } from "node:net";
import type { AttemptTimings, Clock } from "@carillon/core";
import type { EgressConnector } from "../egress/egress-connector.ts";
import type { Peer } from "../egress/egress-guard.ts";
import {
  type AnswerHandler,
  type AnswerLimits,
  AnswerReader,
} from "./answer-reader.ts";

/** A request, and what takes its answer. */
export interface Exchange extends AnswerHandler {
  /** All bytes of the request; called when a connection starts on it. */
  write(authority: string, memory: RequestMemory): Buffer;
  /** Instead of `onEnd`: the answer did not come, or not all of it. */
  onError(error: Error): void;
}

/**
 * Where a request may be written: memory of the connection, used again after
 * the answer. Fresh memory for each request would cost the kernel more time
 * (page faults) than writing the request costs us.
 */
export interface RequestMemory {
  reserve(bytes: number): Buffer;
}

/** Scheme, host and port of a URL. */
export interface Origin extends Peer {
  /** What the Host header says. */
  readonly authority: string;
}

/** What connections are opened with. */
export interface ConnectionOptions extends AnswerLimits {
  readonly clock: Pick<Clock, "monotonic">;
  readonly connect: EgressConnector;
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** A connection keeps no more memory than this for requests, in bytes. */
const maxKeptBytes = 16_384;

/** How long a receiver that has answered may read nothing of the rest, in ms. */
const unsentMs = 5000;

/** Most answers to webhooks fit in one piece. */
const readBytes = 4096;

/**
 * Reads through `onread`, into the same memory each time, and writes a request
 * in one piece: of what a request costs, streams would take the larger part.
 */
export class Connection<To extends Origin = Origin> implements RequestMemory {
  readonly origin: To;
  exchange: Exchange | undefined;
  /** Answers it carried; with any before, it may have died since. */
  answers = 0;
  /** While idle: until when it may be used, in monotonic time. */
  idleUntil = 0;
  /** How long the steps of opening it took. */
  readonly opening: Mutable<Omit<AttemptTimings, "firstByteMs">> = {};
  readonly reader: AnswerReader;
  readonly #clock: Pick<Clock, "monotonic">;
  /** When the last step of opening it ended, in monotonic time. */
  #lastStepAt = 0;
  readonly #connect: EgressConnector;
  /** Those that its address was checked by. */
  readonly #rules: object;
  readonly #onClosed: (connection: Connection<To>) => void;
  readonly #socket: Socket | undefined;
  #isConnected = false;
  #isClosed = false;
  #memory: Buffer | undefined;

  /** @param onClosed called when it ends while no request is on it */
  constructor(
    origin: To,
    options: ConnectionOptions,
    onClosed: (connection: Connection<To>) => void,
  ) {
    this.origin = origin;
    this.reader = new AnswerReader(options);
    this.#onClosed = onClosed;
    this.#clock = options.clock;
    this.#connect = options.connect;
    this.#rules = options.connect.rules;
    try {
      this.#socket = this.#open(options.connect);
    } catch (error) {
      // Whoever opens it has not given it its request yet.
      queueMicrotask(() => this.#fail(error));
    }
  }

  /** Whether the rules that its address was checked by still hold. */
  get isAllowed(): boolean {
    return this.#rules === this.#connect.rules;
  }

  run(exchange: Exchange): void {
    this.exchange = exchange;
    if (this.#isConnected) this.#send(exchange);
  }

  /**
   * To be called after a complete answer. Whether the connection may be used
   * again; if not, it closes once the request is sent: an answer may come before.
   */
  finish(): boolean {
    this.exchange = undefined;
    this.answers++;
    if (this.#socket?.writableLength !== 0) {
      this.reader.stop();
      this.#socket?.setTimeout(unsentMs, () => this.#end()).end();
      return false;
    }
    if (!this.reader.isReusable) this.#end();
    return this.reader.isReusable;
  }

  reserve(bytes: number): Buffer {
    if (bytes > maxKeptBytes) return Buffer.allocUnsafe(bytes);
    if (this.#memory === undefined || this.#memory.length < bytes) {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(bytes, 2048));
    }
    return this.#memory.subarray(0, bytes);
  }

  /** The request on it hears nothing of it. */
  destroy(): void {
    this.#isClosed = true;
    this.exchange = undefined;
    this.reader.stop();
    this.#socket?.destroy();
  }

  #open(connect: EgressConnector): Socket {
    const { origin } = this;
    const { opening } = this;
    this.#lastStepAt = this.#clock.monotonic();
    const socket = connect(origin, {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (length, bytes) => {
        this.#read(bytes as Buffer, length);
        return true;
      },
    });
    // An address is not looked up, and most connections are not by TLS: each
    // listener more would cost every connection.
    if (isIP(origin.host) === 0) {
      socket.once("lookup", () => {
        opening.dnsMs = this.#sinceLastStep();
      });
    }
    if (origin.isTls) {
      socket.once("connect", () => {
        opening.connectMs = this.#sinceLastStep();
      });
    }
    return (
      socket
        .once(origin.isTls ? "secureConnect" : "connect", () => {
          this.#isConnected = true;
          opening[origin.isTls ? "tlsMs" : "connectMs"] = this.#sinceLastStep();
          if (this.exchange !== undefined) this.#send(this.exchange);
        })
        .on("error", (error) => this.#fail(error))
        // Before that, what is wrong with TLS is still to come.
        .once("end", () => this.#isConnected && this.#end())
        .once("close", () => this.#end())
    );
  }

  /** How long the step took that has just ended. */
  #sinceLastStep(): number {
    const now = this.#clock.monotonic();
    const passed = Math.round(now - this.#lastStepAt);
    this.#lastStepAt = now;
    return passed;
  }

  #send(exchange: Exchange): void {
    this.reader.expect(exchange);
    try {
      this.#socket?.write(exchange.write(this.origin.authority, this));
    } catch (error) {
      this.#fail(error);
    }
  }

  #read(bytes: Buffer, length: number): void {
    if (this.#isClosed) return;
    try {
      this.reader.read(bytes, length);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // What comes unasked is an answer to nothing.
    if (this.exchange === undefined && !this.reader.isReusable) this.#end();
  }

  /** The other side sends no more. */
  #end(): void {
    if (this.#isClosed) return;
    if (this.exchange === undefined) {
      this.destroy();
      this.#onClosed(this);
      return;
    }
    try {
      this.reader.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { exchange } = this;
    if (exchange === undefined) {
      this.#end();
      return;
    }
    this.destroy();
    exchange.onError(error instanceof Error ? error : new Error(String(error)));
  }
}
