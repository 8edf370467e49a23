/**
 * Decides where the service may connect to. Endpoints come from subscribers:
 * without this, a subscription could make the service talk to its own host,
 * its neighbours or the cloud's metadata service.
 */

import type { LookupAddress } from "node:dns";
import { isIP, isIPv6 } from "node:net";
import { orAborted } from "@carillon/core";
import {
  type AddressClass,
  classifyAddress,
  parseCidr,
} from "./address-class.ts";
import { createSystemResolver, type ResolveName } from "./name-resolver.ts";

/** What the guard lets through, and how it resolves names. */
export interface EgressGuardOptions {
  /** Networks that may be reached although they are not public, as CIDRs. */
  readonly allowTargets: readonly string[];
  /** Ports that may be reached although they are of {@link refusedPorts}. */
  readonly allowPorts?: readonly number[];
  /** Default: the machine's own DNS and hosts file. */
  readonly resolve?: ResolveName;
  /** An abort ends questions to name servers; none is asked any more. */
  readonly signal?: AbortSignal;
}

/**
 * Ports of services that speak no HTTP, or that trust whoever reaches them: a
 * request could make them do things (SSH, Telnet, SMTP, DNS, POP3, IMAP, MySQL,
 * PostgreSQL, Redis, Elasticsearch, memcached, MongoDB).
 */
export const refusedPorts: readonly number[] = [
  22, 23, 25, 53, 110, 143, 465, 587, 3306, 5432, 6379, 9200, 11_211, 27_017,
];

/** Why an endpoint may not be connected to. */
export interface EgressRefusal {
  /** The host as the endpoint names it; absent when its port is refused. */
  readonly host?: string;
  /**
   * What the host resolved to. For the log only: shown to a subscriber, it
   * would answer questions about the inner network.
   */
  readonly address?: string;
  readonly addressClass?: AddressClass;
  /** Says what was refused and what an operator can do about it. */
  readonly message: string;
}

/** Decides which hosts and addresses may be connected to. */
export interface EgressGuard {
  /** Another object once other rules hold; see {@link EgressConnector}. */
  readonly rules: object;
  /** Checks one address; `undefined` when it may be reached. */
  checkAddress(address: string): EgressRefusal | undefined;
  /** Checks a port; `undefined` when it may be reached. */
  checkPort(port: number): EgressRefusal | undefined;
  /**
   * Resolves a host and answers its addresses, all of them checked. Connect to
   * one of these; resolving again could bring another answer.
   *
   * @throws EgressRefusedError when any one of them is refused
   */
  resolve(host: string): Promise<readonly LookupAddress[]>;
  /**
   * Checks what can be said of an http(s) URL at once, without a name server: its
   * port, and its host if that is an address or this machine. Whatever else it
   * names is checked for each connection.
   *
   * @throws TypeError when it is no URL
   */
  checkUrlNow(url: string): EgressRefusal | undefined;
  /**
   * Checks whether an http(s) URL would be refused, for its port or for its host. A
   * name that does not resolve now, or not in time, passes: it is checked again for
   * each connection.
   *
   * @throws TypeError when it is no URL
   */
  checkUrl(
    url: string,
    options?: CheckUrlOptions,
  ): Promise<EgressRefusal | undefined>;
}

/** How long checking a URL may take. */
export interface CheckUrlOptions {
  /** How long to wait for the name to resolve. Default 2000. */
  readonly timeoutMs?: number;
  /** An abort ends the wait as `timeoutMs` does. */
  readonly signal?: AbortSignal;
}

/** A connection that the guard refused. No retry will change that. */
export class EgressRefusedError extends Error {
  override readonly name = "EgressRefusedError";
  readonly code = "EGRESS_REFUSED";
  readonly refusal: EgressRefusal;

  constructor(refusal: EgressRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/**
 * Builds the guard.
 *
 * @throws TypeError when a target is no CIDR; see {@link parseCidr}
 */
export function createEgressGuard(options: EgressGuardOptions): EgressGuard {
  const allowed = options.allowTargets.map((text) => {
    const cidr = parseCidr(text);
    if (cidr !== undefined) return cidr;
    throw new TypeError(
      `CARILLON_ALLOW_TARGETS has "${text}"; networks such as 10.0.0.0/8 or fd00::/8 are expected.`,
    );
  });
  const resolveName =
    options.resolve ??
    createSystemResolver(options.signal ? { signal: options.signal } : {});
  const ports = new Set(refusedPorts);
  for (const port of options.allowPorts ?? []) ports.delete(port);

  function checkPort(port: number): EgressRefusal | undefined {
    if (!ports.has(port)) return undefined;
    return {
      message: `Port ${port} is not one of web servers; such ports are refused unless CARILLON_ALLOW_PORTS lists them.`,
    };
  }

  /**
   * The names of RFC 6761 §6.3 are this machine whatever name servers say, and
   * with a dot at the end no hosts file has them.
   */
  async function addressesOf(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    if (!isLocalhost(host)) return await resolveName(host);
    return await resolveName("localhost").catch(() => loopbackAddresses);
  }

  function check(host: string, address: string): EgressRefusal | undefined {
    const addressClass = classifyAddress(address);
    if (addressClass === undefined) return undefined;
    if (allowed.some((cidr) => cidr.contains(address))) return undefined;
    return {
      host,
      address,
      addressClass,
      message: describe(host, address, addressClass),
    };
  }

  async function resolve(host: string): Promise<readonly LookupAddress[]> {
    const addresses = await addressesOf(host);
    for (const address of addresses) {
      const refusal = check(host, address);
      if (refusal !== undefined) throw new EgressRefusedError(refusal);
    }
    return addresses.map((address) => ({
      address,
      family: isIPv6(address) ? 6 : 4,
    }));
  }

  return {
    rules: allowed,
    checkAddress: (address) => check(address, address),
    checkPort,
    resolve,
    checkUrlNow(url) {
      const { host, port } = peerOf(new URL(url));
      const refusal = checkPort(port);
      if (refusal !== undefined) return refusal;
      if (isIP(host) !== 0) return check(host, host);
      if (!isLocalhost(host)) return undefined;
      // Which of them it resolves to is not known here.
      const refusals = loopbackAddresses.map((it) => check(host, it));
      return refusals.every((it) => it !== undefined) ? refusals[0] : undefined;
    },
    async checkUrl(url, { timeoutMs = 2000, signal } = {}) {
      const { host, port } = peerOf(new URL(url));
      const refusal = checkPort(port);
      if (refusal !== undefined) return refusal;
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, timeoutMs);
      try {
        await orAborted(Promise.race([resolve(host), late.promise]), signal);
      } catch (error) {
        if (error instanceof EgressRefusedError) return error.refusal;
        // Unresolvable, or not waited for: names may be registered after the subscription.
      } finally {
        clearTimeout(timer);
      }
      return undefined;
    },
  };
}

/** A guard in whose place another one can be put, for those who hold it. */
export interface ReplaceableEgressGuard extends EgressGuard {
  /** For all that is checked from now on. */
  replace(next: EgressGuard): void;
}

/** Builds the place for guards, with the first one in it. */
export function createReplaceableEgressGuard(
  first: EgressGuard,
): ReplaceableEgressGuard {
  let current = first;
  return {
    get rules() {
      return current.rules;
    },
    checkAddress: (address) => current.checkAddress(address),
    checkPort: (port) => current.checkPort(port),
    resolve: (host) => current.resolve(host),
    checkUrlNow: (url) => current.checkUrlNow(url),
    checkUrl: (url, options) => current.checkUrl(url, options),
    replace(next) {
      current = next;
    },
  };
}

const loopbackAddresses = ["127.0.0.1", "::1"];

function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.*$/i.test(host);
}

/** Where a connection goes. */
export interface Peer {
  /** A name, or an address (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** The URL parser has brought forms such as 0x7f.1 to plain addresses. */
export function peerOf({ hostname, protocol, port }: URL): Peer {
  const isTls = protocol === "https:";
  return {
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: Number(port) || (isTls ? 443 : 80),
    isTls,
  };
}

function describe(
  host: string,
  address: string,
  addressClass: AddressClass,
): string {
  const kind = /^[aeiou]/i.test(addressClass)
    ? `an ${addressClass} address`
    : `a ${addressClass} address`;
  const what =
    host === address ? `${host} is ${kind}` : `${host} resolves to ${kind}`;
  return `${what}; such targets are refused unless CARILLON_ALLOW_TARGETS lists them.`;
}
