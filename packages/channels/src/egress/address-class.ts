/**
 * What kind of network an IP address belongs to. Only public unicast addresses
 * are without a class; whatever is not known to be public has one, so that a
 * range the table does not know is not reachable by accident.
 */

import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

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
  const table = address.kind() === "ipv4" ? ipv4Classes : ipv6Classes;
  for (const [network, addressClass] of table) {
    if (address.match(network)) return addressClass;
  }
  // IANA gives out IPv6 unicast addresses from 2000::/3 alone so far.
  return address.kind() === "ipv6" && !address.match(globalUnicast)
    ? "reserved"
    : undefined;
}

/**
 * Parses `10.0.0.0/8`, `fd00::/8`, or one address; `undefined` when it is none
 * of these. An IPv4 network does not contain the IPv6 forms of its addresses.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", prefix, ...rest] = text.trim().split("/");
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || rest.length > 0) return undefined;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  const length = prefix === undefined ? bits : Number(prefix);
  const network = parseAddress(address);
  if (length > bits || network === undefined) return undefined;
  return {
    contains(other) {
      const parsed = parseAddress(other);
      return (
        parsed !== undefined &&
        parsed.kind() === network.kind() &&
        parsed.match([network, length])
      );
    },
  };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Only the forms that sockets take; ipaddr.js alone would read `0x7f.1` too. */
function parseAddress(text: string): Address | undefined {
  switch (isIP(text)) {
    case 4:
      return ipaddr.IPv4.parse(text);
    case 6: {
      const [address = ""] = text.split("%");
      // ipaddr.js takes ::127.0.0.1 for ::ffff:127.0.0.1, so that no IPv4 part
      // may reach it; the URL parser writes everything in hexadecimal.
      const { hostname } = new URL(`http://[${address}]`);
      return ipaddr.IPv6.parse(hostname.slice(1, -1));
    }
    default:
      return undefined;
  }
}

type Row = readonly [network: [Address, number], addressClass: AddressClass];

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

const globalUnicast = ipaddr.parseCIDR("2000::/3");

function parseRows(
  rows: readonly (readonly [string, AddressClass])[],
): readonly Row[] {
  return rows.map(([cidr, addressClass]) => [
    ipaddr.parseCIDR(cidr),
    addressClass,
  ]);
}
