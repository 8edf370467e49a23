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
  type OnReadOpts,
  type Socket,
} from "node:net";
import { connect as connectTls } from "node:tls";
import {
  type EgressGuard,
  EgressRefusedError,
  type Peer,
} from "./egress-guard.ts";

/**
 * Opens a socket, which emits `connect`, or by TLS `secureConnect`, and hands
 * what comes to `onread`. It sets no deadline: a caller that no longer wants the
 * connection destroys the socket.
 *
 * @throws EgressRefusedError; for a name it is the socket's error
 */
export interface EgressConnector {
  (peer: Peer, onread: OnReadOpts): Socket;
  /**
   * What addresses are checked by. Once it is another object, connections that
   * were opened before carry no further request: they may be refused now.
   */
  readonly rules: object;
}

/** What connections by TLS are checked against. */
export interface EgressConnectorOptions {
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
}

/**
 * Builds the function that opens sockets for an HTTP client, to allowed
 * addresses only.
 */
export function createEgressConnector(
  guard: EgressGuard,
  { ca }: EgressConnectorOptions = {},
): EgressConnector {
  const sessions = new TlsSessions();
  const lookup: LookupFunction = (name, { all }, done) => {
    guard.resolve(name).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) {
          done(Object.assign(new Error(`${name} has no address`), noData), []);
        } else if (all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };

  const open = ({ isTls, host, port }: Peer, onread: OnReadOpts): Socket => {
    // Sockets do not look up what is an address already.
    const refusal =
      guard.checkPort(port) ??
      (isIP(host) ? guard.checkAddress(host) : undefined);
    if (refusal !== undefined) throw new EgressRefusedError(refusal);
    const target = { host, port, lookup, onread };
    const key = `${host}:${port}`;
    const session = isTls ? sessions.get(key) : undefined;
    const socket = isTls
      ? connectTls({
          ...target,
          servername: isIP(host) ? "" : host,
          ALPNProtocols: ["http/1.1"],
          ...(session && { session }),
          ...(ca !== undefined && { ca }),
        }).on("session", (ticket) => sessions.put(key, ticket))
      : connectTcp(target);
    return socket.setNoDelay(true).setKeepAlive(true, 60_000);
  };
  return Object.defineProperty(open, "rules", {
    get: () => guard.rules,
    // `defineProperty` keeps the type it was given.
  }) as typeof open & Pick<EgressConnector, "rules">;
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
