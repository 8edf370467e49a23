/**
 * Keep-alive connections, by origin. Each carries one request at a time, so a
 * request that hangs holds up its own connection only. Not undici's `Pool`:
 * that one looks through all its connections for a free one, cannot drop a
 * request that waits for its connection, and keeps what it opened for ever.
 */

import { Client, type Dispatcher } from "undici";
import type { EgressConnector } from "../egress/egress-connector.ts";

export interface ConnectionPoolOptions {
  readonly connect: EgressConnector;
  /** Connections to one origin at once. */
  readonly maxPerOrigin: number;
  /**
   * Idle connections to all origins. Beyond it one is closed: another of the
   * same origin if there is one, else the one that was idle longest.
   */
  readonly maxIdle: number;
}

/** A request in the hands of the pool. */
export interface PooledRequest extends Dispatcher.DispatchHandler {
  /** Writes the request out; called when a connection starts on it. */
  write(memory: BodyMemory): Dispatcher.DispatchOptions;
  /** Set while the request has a connection. */
  connection: Connection | undefined;
  /** Called when an answer begins, be it an interim one (1xx). */
  onResponseStarted(): void;
  /** False once it is too late to start it. */
  readonly isWanted: boolean;
}

/**
 * Where a request's body may be written: memory of the connection, used again
 * after the answer. Fresh memory for each body would cost the kernel more time
 * (page faults) than writing the body costs us.
 */
export interface BodyMemory {
  reserve(bytes: number): Buffer;
}

export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #origins = new Map<string, Origin>();
  readonly #open = new Set<Connection>();
  /** In order of their last use. */
  readonly #idle = new Set<Connection>();

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts a request on the connection used last, or on a new one; when the
   * origin has as many as it may, once one is free.
   */
  start(originUrl: string, request: PooledRequest): void {
    let origin = this.#origins.get(originUrl);
    if (origin === undefined) {
      origin = { url: originUrl, open: 0, idle: [], waiting: [] };
    }
    const connection = origin.idle.pop();
    if (connection !== undefined) {
      this.#idle.delete(connection);
      connection.run(request);
    } else if (origin.open < this.#options.maxPerOrigin) {
      this.#openTo(origin).run(request);
    } else origin.waiting.push(request);
  }

  /** Starts a request anew, on a fresh connection: its own had died idle. */
  restart(request: PooledRequest): void {
    const { connection } = request;
    if (connection === undefined) return;
    const { origin } = connection;
    this.#remove(connection);
    this.#openTo(origin).run(request);
  }

  /** Takes a request's connection back after a complete answer. */
  release(request: PooledRequest): void {
    const { connection } = request;
    if (connection === undefined) return;
    request.connection = undefined;
    connection.finish();
    const { origin } = connection;
    const next = nextWaiting(origin);
    if (next !== undefined) {
      connection.run(next);
      return;
    }
    connection.request = undefined;
    origin.idle.push(connection);
    this.#idle.add(connection);
    if (this.#idle.size > this.#options.maxIdle) this.#removeIdle(origin);
  }

  /**
   * Each origin keeps one as long as it can: a fan-out comes by all origins in
   * turn, and would find none idle if always the oldest went.
   */
  #removeIdle({ idle: [oldestOfOrigin, another] }: Origin): void {
    const [oldest] = this.#idle;
    const leaving = another === undefined ? oldest : oldestOfOrigin;
    if (leaving) this.#remove(leaving);
  }

  /** Closes a request's connection, in whatever state it is. */
  discard(request: PooledRequest): void {
    const { connection } = request;
    if (connection === undefined) return;
    const { origin } = connection;
    this.#remove(connection);
    const next = nextWaiting(origin);
    if (next !== undefined) this.#openTo(origin).run(next);
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    const closed: Promise<void>[] = [];
    for (const connection of this.#open) closed.push(connection.destroy());
    this.#open.clear();
    this.#idle.clear();
    this.#origins.clear();
    await Promise.all(closed);
  }

  #openTo(origin: Origin): Connection {
    const connection = new Connection(origin, this.#options.connect, () => {
      // The other side closed it, or nobody needed it for some seconds.
      if (connection.request === undefined) this.#remove(connection);
    });
    origin.open++;
    if (origin.open === 1) this.#origins.set(origin.url, origin);
    this.#open.add(connection);
    return connection;
  }

  #remove(connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    const { origin, request } = connection;
    if (request !== undefined) request.connection = undefined;
    if (this.#idle.delete(connection)) {
      origin.idle.splice(origin.idle.indexOf(connection), 1);
    }
    origin.open--;
    if (origin.open === 0) this.#origins.delete(origin.url);
    // Does not fail, and nobody needs to wait for it.
    void connection.destroy();
  }
}

/** Exists as long as there are connections to it. */
interface Origin {
  readonly url: string;
  open: number;
  /** The one used last is at the end. */
  readonly idle: Connection[];
  /** Oldest first. */
  readonly waiting: PooledRequest[];
}

function nextWaiting(origin: Origin): PooledRequest | undefined {
  for (;;) {
    const request = origin.waiting.shift();
    if (request === undefined || request.isWanted) return request;
  }
}

/** Made once: undici would make one, with its stack, for each connection. */
const closedByPool = new Error("The connection was closed by its pool.");

/** A connection keeps no more memory than this for bodies, in bytes. */
const maxKeptBytes = 16_384;

/** One connection and, at times, the request on it. */
class Connection implements BodyMemory {
  readonly origin: Origin;
  request: PooledRequest | undefined;
  /** Whether its socket carried a request before: it may have died since. */
  isUsed = false;
  readonly #client: Client;
  #socket: ReturnType<EgressConnector>;
  #memory: Buffer | undefined;

  constructor(
    origin: Origin,
    connect: EgressConnector,
    onDisconnect: () => void,
  ) {
    this.origin = origin;
    this.#client = new Client(origin.url, {
      connect: (options, callback) => {
        this.isUsed = false;
        this.#socket = connect(options, callback, () =>
          this.request?.onResponseStarted(),
        );
      },
      allowH2: false,
      // The pool's user has one deadline for the whole request.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#client.on("disconnect", onDisconnect);
  }

  run(request: PooledRequest): void {
    this.request = request;
    request.connection = this;
    this.#client.dispatch(request.write(this), request);
  }

  /** To be called after a complete answer. */
  finish(): void {
    this.isUsed = true;
    // An answer may come before all of the request was sent, and what was not
    // sent is still in there.
    if (this.#socket?.writableLength !== 0) this.#memory = undefined;
  }

  reserve(bytes: number): Buffer {
    if (bytes > maxKeptBytes) return Buffer.allocUnsafe(bytes);
    if (this.#memory === undefined || this.#memory.length < bytes) {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(bytes, 2048));
    }
    return this.#memory.subarray(0, bytes);
  }

  async destroy(): Promise<void> {
    // undici waits for a socket that is being opened; nobody else does.
    this.#socket?.destroy();
    await this.#client.destroy(closedByPool);
  }
}
