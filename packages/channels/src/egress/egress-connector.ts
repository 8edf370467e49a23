/**
 * Opens the sockets of all outgoing HTTP connections. A name is resolved and
 * checked once per connection, and the socket goes to an address of that very
 * answer: a name server that answers differently the next time (DNS rebinding)
 * gains nothing. SNI, certificate check and Host header keep the name.
 */

import {
  connect as connectTcp,
  isIP,
  type LookupFunction,
  type Socket,
} from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import {
  type EgressGuard,
  EgressRefusedError,
  portOf,
} from "./egress-guard.ts";
import { readFinalAnswers } from "./final-answers.ts";

/**
 * undici's connector, which also answers the socket it opens. It sets no
 * deadline: a caller that no longer wants the connection destroys the socket.
 * Interim answers (1xx) are left out of what is read from it; `onInterim` is
 * called when one begins.
 */
export type EgressConnector = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
  onInterim?: () => void,
) => Socket | undefined;

/** What connections by TLS are checked against, and how much is read. */
export interface EgressConnectorOptions {
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
  /** What the client takes of an answer's body. Default 4096. */
  readonly maxResponseBytes?: number;
}

/** For headers, interim answers and trailers. */
const maxHeaderBytes = 65_536;

/** On the wire, a chunk with one byte of a body takes six. */
const maxFramingFactor = 8;

/**
 * Builds the function that opens sockets for an HTTP client, to allowed
 * addresses only. A refused one fails with EgressRefusedError.
 */
export function createEgressConnector(
  guard: EgressGuard,
  options: EgressConnectorOptions = {},
): EgressConnector {
  const { ca, maxResponseBytes = 4096 } = options;
  const limits = {
    maxAnswerBytes: maxHeaderBytes + maxFramingFactor * maxResponseBytes,
  };
  const sessions = new TlsSessions();
  const lookup: LookupFunction = (host, { all }, done) => {
    guard.resolve(host).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) {
          done(Object.assign(new Error(`${host} has no address`), noData), []);
        } else if (all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };

  return ({ hostname, protocol, port, servername }, callback, onInterim) => {
    const target = { host: hostname, port: portOf(protocol, port), lookup };
    // Sockets do not look up what is an address already.
    const refusal =
      guard.checkPort(target.port) ??
      (isIP(hostname) ? guard.checkAddress(hostname) : undefined);
    if (refusal !== undefined) {
      queueMicrotask(() => callback(new EgressRefusedError(refusal), null));
      return undefined;
    }
    const isTls = protocol === "https:";
    const key = `${target.host}:${target.port}`;
    const session = isTls ? sessions.get(key) : undefined;
    const socket = isTls
      ? connectTls({
          ...target,
          servername: servername || (isIP(hostname) ? "" : hostname),
          ALPNProtocols: ["http/1.1"],
          ...(session && { session }),
          ...(ca !== undefined && { ca }),
        }).on("session", (ticket) => sessions.put(key, ticket))
      : connectTcp(target);
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    readFinalAnswers(socket, limits, onInterim);

    let isSettled = false;
    socket.once(isTls ? "secureConnect" : "connect", () => {
      isSettled = true;
      callback(null, socket);
    });
    // Stays for the life of the socket: an error nobody hears ends the process.
    socket.on("error", (error) => {
      if (isSettled) return;
      isSettled = true;
      callback(error, null);
    });
    return socket;
  };
}

const noData = { code: "ENODATA" };

/** Tickets that save a round trip when a host is connected to again. */
class TlsSessions {
  readonly #tickets = new Map<string, Buffer>();

  get(key: string): Buffer | undefined {
    return this.#tickets.get(key);
  }

  put(key: string, ticket: Buffer): void {
    this.#tickets.delete(key);
    this.#tickets.set(key, ticket);
    if (this.#tickets.size <= 1000) return;
    for (const oldest of this.#tickets.keys()) {
      this.#tickets.delete(oldest);
      break;
    }
  }
}
