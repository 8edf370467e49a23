/**
 * What kind of network an IP address belongs to. Only public unicast addresses
 * are without a class; whatever is not known to be public has one, so that a
 * range the table does not know is not reachable by accident.
 */

import { isIP } from "node:net";
import { type IpRange, includesRange, parseIpRange } from "@carillon/core";

/** Why an address is not public: what its range is for. */
export type AddressClass =
  | "6to4"
  | "benchmarking"
  | "broadcast"
  | "carrier-grade NAT"
  | "cloud metadata"
  | "discard-only"
  | "documentation"
  | "IPv4-compatible"
  | "IPv4-mapped"
  | "IPv4-translated"
  | "link-local"
  | "loopback"
  | "multicast"
  | "NAT64"
  | "private"
  | "reserved"
  | "site-local"
  | "Teredo"
  | "unique-local"
  | "unrecognised"
  | "unspecified";

/** A network in CIDR notation, parsed. */
export interface Cidr {
  contains(address: string): boolean;
}

/**
 * Classifies an address in its plain text form; `undefined` for public ones.
 * Text that is no address is `unrecognised`.
 */
export function classifyAddress(text: string): AddressClass | undefined {
  const address = parseAddress(text);
  if (address === undefined) return "unrecognised";
  const special = (isIpv4(address) ? ipv4Classes : ipv6Classes).find(
    ({ network }) => includesRange(network, address),
  );
  if (special) return special.addressClass;
  // IANA gives out IPv6 unicast addresses from 2000::/3 alone so far.
  return !isIpv4(address) && !includesRange(globalUnicast, address)
    ? "reserved"
    : undefined;
}

/**
 * Parses `10.0.0.0/8`, `fd00::/8`, or one address; `undefined` when it is none
 * of these. An IPv4 network does not contain the IPv6 forms of its addresses.
 */
export function parseCidr(text: string): Cidr | undefined {
  const network = parseIpRange(text.trim());
  return (
    network && {
      contains(address) {
        const parsed = parseAddress(address);
        return parsed !== undefined && includesRange(network, parsed);
      },
    }
  );
}

/** Only the forms that sockets take; a zone does not change the class. */
function parseAddress(text: string): IpRange | undefined {
  return isIP(text) === 0 ? undefined : parseIpRange(text.replace(/%.*/, ""));
}

function isIpv4({ words }: IpRange): boolean {
  return words.length === 1;
}

interface Row {
  readonly network: IpRange;
  readonly addressClass: AddressClass;
}

/** From the IANA special-purpose registries; the first match counts. */
const ipv4Classes = parseRows([
  ["0.0.0.0/8", "unspecified"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "carrier-grade NAT"],
  ["127.0.0.0/8", "loopback"],
  // Azure answers its virtual machines there although the range is public.
  ["168.63.129.16/32", "cloud metadata"],
  ["169.254.169.254/32", "cloud metadata"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "documentation"],
  ["192.31.196.0/24", "reserved"],
  ["192.52.193.0/24", "reserved"],
  ["192.88.99.0/24", "6to4"],
  ["192.168.0.0/16", "private"],
  ["192.175.48.0/24", "reserved"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["255.255.255.255/32", "broadcast"],
  ["240.0.0.0/4", "reserved"],
]);

const ipv6Classes = parseRows([
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["::/96", "IPv4-compatible"],
  ["::ffff:0:0/96", "IPv4-mapped"],
  ["::ffff:0:0:0/96", "IPv4-translated"],
  ["64:ff9b::/96", "NAT64"],
  ["64:ff9b:1::/48", "NAT64"],
  ["100::/64", "discard-only"],
  ["2001::/32", "Teredo"],
  ["2001:2::/48", "benchmarking"],
  ["2001:db8::/32", "documentation"],
  ["2001::/23", "reserved"],
  ["2002::/16", "6to4"],
  ["2620:4f:8000::/48", "reserved"],
  ["3fff::/20", "documentation"],
  ["fd00:ec2::254/128", "cloud metadata"],
  ["fc00::/7", "unique-local"],
  ["fe80::/10", "link-local"],
  ["fec0::/10", "site-local"],
  ["ff00::/8", "multicast"],
]);

const globalUnicast = parseNetwork("2000::/3");

function parseRows(
  rows: readonly (readonly [string, AddressClass])[],
): readonly Row[] {
  return rows.map(([text, addressClass]) => ({
    network: parseNetwork(text),
    addressClass,
  }));
}

function parseNetwork(text: string): IpRange {
  const network = parseIpRange(text);
  if (network !== undefined) return network;
  throw new TypeError(`A network was expected, got ${text}.`);
}
