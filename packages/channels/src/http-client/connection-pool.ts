/**
 * Keep-alive connections, by origin. Each carries one request at a time, so a
 * request that hangs holds up its own connection only.
 */

import type { Clock, Timer } from "@carillon/core";
import { peerOf } from "../egress/egress-guard.ts";
import {
  Connection,
  type ConnectionOptions,
  type Exchange,
  type Origin,
} from "./connection.ts";

export interface ConnectionPoolOptions extends ConnectionOptions {
  readonly clock: Pick<Clock, "monotonic" | "setTimer" | "nextTurn">;
  /** Connections to one origin at once. */
  readonly maxPerOrigin: number;
  /**
   * Idle connections to all origins. Beyond it one is closed: another of the
   * same origin if there is one, else the one that was idle longest.
   */
  readonly maxIdle: number;
  /**
   * How long a connection rests after its first answers, in ms: a server that
   * closes it then without having said so has done it by that time. One that
   * keeps a connection after them says when it ends it. Default 0, for those who
   * send a request again whose connection had died.
   */
  readonly settleMs?: number;
}

/** A request in the hands of the pool. */
export interface PooledRequest extends Exchange {
  /** Set while the request has a connection. */
  connection: PooledConnection | undefined;
  /** False once it is too late to start it. */
  readonly isWanted: boolean;
}

export type PooledConnection = Connection<PooledOrigin>;

/** Exists as long as there are connections to it. */
interface PooledOrigin extends Origin {
  readonly url: string;
  open: number;
  /** The one used last is at the end. */
  readonly idle: PooledConnection[];
  /** Oldest first. */
  readonly waiting: PooledRequest[];
}

/** Answers of a connection after which it rests. */
const settledAnswers = 2;

/** How long an idle connection is kept if its server does not say, in ms. */
const idleMs = 4000;

/** Whatever it says, in ms. */
const maxIdleMs = 600_000;

/** So much sooner than the server closes it: a request takes its time, in ms. */
const idleMarginMs = 2000;

/** Between looks for connections that were idle too long, in ms. */
const sweepMs = 1000;

export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #origins = new Map<string, PooledOrigin>();
  readonly #open = new Set<PooledConnection>();
  /** In order of their last use. */
  readonly #idle = new Set<PooledConnection>();
  readonly #onClosed = (connection: PooledConnection) => {
    this.#remove(connection);
    this.#openForNext(connection.origin);
  };
  #sweep: Timer | undefined;
  #isClosed = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts a request on the connection used last, or on a new one; when the
   * origin has as many as it may, once one is free.
   */
  start(originUrl: string, request: PooledRequest): void {
    if (this.#isClosed) {
      request.onError(closedByPool());
      return;
    }
    const origin = this.#origins.get(originUrl) ?? toOrigin(originUrl);
    const connection = this.#takeIdle(origin);
    if (connection !== undefined) run(connection, request);
    else if (origin.open < this.#options.maxPerOrigin) {
      run(this.#openTo(origin), request);
    } else origin.waiting.push(request);
  }

  /** Starts a request anew, on a fresh connection: its own had died idle. */
  restart(request: PooledRequest): void {
    const { connection } = request;
    if (connection === undefined) return;
    const { origin } = connection;
    this.#remove(connection);
    run(this.#openTo(origin), request);
  }

  /** Takes a request's connection back after a complete answer. */
  release(request: PooledRequest): void {
    const { connection } = request;
    if (connection === undefined) return;
    request.connection = undefined;
    // One that is not counts as open until it has closed.
    if (!connection.finish()) return;
    const { clock, settleMs = 0 } = this.#options;
    if (settleMs === 0 || connection.answers > settledAnswers) {
      this.#handOn(connection);
    } else {
      clock.setTimer(settleMs, async () => {
        // Timers come before what the system has for us: its end may be there.
        await clock.nextTurn();
        if (this.#open.has(connection)) this.#handOn(connection);
      });
    }
  }

  /** Closes a request's connection, in whatever state it is. */
  discard(request: PooledRequest): void {
    const { connection } = request;
    if (connection === undefined) return;
    request.connection = undefined;
    this.#remove(connection);
    this.#openForNext(connection.origin);
  }

  /** Closes all connections; what is under way, or waits, fails. */
  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    const requests: (Exchange | undefined)[] = [];
    for (const { waiting } of this.#origins.values()) {
      requests.push(...waiting.splice(0));
    }
    for (const connection of this.#open) {
      requests.push(connection.exchange);
      this.#remove(connection);
    }
    for (const request of requests) request?.onError(closedByPool());
  }

  #handOn(connection: PooledConnection): void {
    if (!connection.isAllowed) {
      this.#remove(connection);
      this.#openForNext(connection.origin);
      return;
    }
    const next = nextWaiting(connection.origin);
    if (next === undefined) this.#keepIdle(connection);
    else run(connection, next);
  }

  #openForNext(origin: PooledOrigin): void {
    const next = nextWaiting(origin);
    if (next !== undefined) run(this.#openTo(origin), next);
  }

  /**
   * The one used last that its server will not close in this moment, and that
   * the rules of today allow.
   */
  #takeIdle({ idle }: PooledOrigin): PooledConnection | undefined {
    for (;;) {
      const connection = idle.pop();
      if (connection === undefined) return undefined;
      this.#idle.delete(connection);
      const isKept = connection.idleUntil > this.#options.clock.monotonic();
      if (isKept && connection.isAllowed) return connection;
      this.#remove(connection);
    }
  }

  #keepIdle(connection: PooledConnection): void {
    const { clock, maxIdle } = this.#options;
    const { keepAliveMs } = connection.reader;
    const keptMs =
      keepAliveMs === undefined
        ? idleMs
        : Math.min(keepAliveMs - idleMarginMs, maxIdleMs);
    if (keptMs <= 0) {
      this.#remove(connection);
      return;
    }
    connection.idleUntil = clock.monotonic() + keptMs;
    connection.origin.idle.push(connection);
    this.#idle.add(connection);
    if (this.#idle.size > maxIdle) this.#makeRoom(connection.origin);
    this.#sweep ??= clock.setTimer(sweepMs, () => this.#closeExpired());
  }

  /**
   * Each origin keeps one as long as it can: a fan-out comes by all origins in
   * turn, and would find none idle if always the oldest went.
   */
  #makeRoom({ idle: [oldestOfOrigin, another] }: PooledOrigin): void {
    const [oldest] = this.#idle;
    const leaving = another === undefined ? oldest : oldestOfOrigin;
    if (leaving) this.#remove(leaving);
  }

  #closeExpired(): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    for (const connection of this.#idle) {
      if (connection.idleUntil <= now) this.#remove(connection);
    }
    this.#sweep =
      this.#idle.size === 0
        ? undefined
        : clock.setTimer(sweepMs, () => this.#closeExpired());
  }

  #openTo(origin: PooledOrigin): PooledConnection {
    const connection = new Connection(origin, this.#options, this.#onClosed);
    origin.open++;
    if (origin.open === 1) this.#origins.set(origin.url, origin);
    this.#open.add(connection);
    return connection;
  }

  #remove(connection: PooledConnection): void {
    if (!this.#open.delete(connection)) return;
    const { origin } = connection;
    if (this.#idle.delete(connection)) {
      origin.idle.splice(origin.idle.indexOf(connection), 1);
    }
    origin.open--;
    if (origin.open === 0) this.#origins.delete(origin.url);
    connection.destroy();
  }
}

function run(connection: PooledConnection, request: PooledRequest): void {
  request.connection = connection;
  connection.run(request);
}

function closedByPool(): Error {
  return new Error("The connection was closed by its pool");
}

function toOrigin(url: string): PooledOrigin {
  const parsed = new URL(url);
  return {
    ...peerOf(parsed),
    authority: parsed.host,
    url,
    open: 0,
    idle: [],
    waiting: [],
  };
}

function nextWaiting(origin: PooledOrigin): PooledRequest | undefined {
  for (;;) {
    const request = origin.waiting.shift();
    if (request === undefined || request.isWanted) return request;
  }
}
