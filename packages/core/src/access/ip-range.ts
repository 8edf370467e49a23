/**
 * IP addresses and ranges (CIDR) in access policies. Parsing only: what may be
 * reached is the egress guard's question. An IPv6 address that carries an IPv4
 * one (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2) is taken for the latter, for that
 * is how dual-stack sockets report IPv4 peers.
 */

export interface IpRange {
  readonly bits: 32 | 128;
  /** The address without its last `hostBits`. */
  readonly network: bigint;
  readonly hostBits: bigint;
}

/**
 * An address, or an address and a prefix length. Bits behind the prefix are
 * ignored. `undefined` when the text is neither.
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [, address = "", prefix] =
    /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return toRange(32, v4, prefix);
  const v6 = parseIpv6(address);
  if (v6 === undefined) return undefined;
  const range = toRange(128, v6, prefix);
  return range && isMapped(v6) && range.hostBits <= 32n
    ? toRange(32, v6 & 0xffffffffn, String(32n - range.hostBits))
    : range;
}

/** Whether `range` holds all of `other`; a single address is a range too. */
export function includesRange(range: IpRange, other: IpRange): boolean {
  return (
    range.bits === other.bits &&
    range.hostBits >= other.hostBits &&
    range.network === other.network >> (range.hostBits - other.hostBits)
  );
}

function toRange(
  bits: 32 | 128,
  address: bigint,
  prefix: string | undefined,
): IpRange | undefined {
  const length = prefix === undefined ? bits : Number(prefix);
  if (length > bits) return undefined;
  const hostBits = BigInt(bits - length);
  return { bits, network: address >> hostBits, hostBits };
}

function isMapped(address: bigint): boolean {
  return address >> 32n === 0xffffn;
}

/** Dotted decimal; leading zeros are refused, since some read them as octal. */
function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".", 5);
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part <= 255)
  ) {
    return undefined;
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** RFC 4291 §2.2, without zones. */
function parseIpv6(text: string): bigint | undefined {
  const halves = withoutDots(text)?.split("::", 3);
  if (halves === undefined || halves.length > 2) return undefined;
  const [head = [], rest = []] = halves.map((half) =>
    half === "" ? [] : half.split(":", 9),
  );
  const zeros = 8 - head.length - rest.length;
  if (halves.length === 1 ? zeros !== 0 : zeros < 1) return undefined;
  const groups = [...head, ...new Array<string>(zeros).fill("0"), ...rest];
  return groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))
    ? groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
    : undefined;
}

/** The text with its last four bytes, if in dotted form, as two groups. */
function withoutDots(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const cut = text.lastIndexOf(":") + 1;
  const address = parseIpv4(text.slice(cut));
  return address === undefined
    ? undefined
    : `${text.slice(0, cut)}${(address >> 16n).toString(16)}:${(address & 0xffffn).toString(16)}`;
}
