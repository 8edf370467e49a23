/**
 * IP addresses and ranges (CIDR): read and compared. The egress guard decides
 * which of them may be reached, access policies which may call.
 */

/** A network of IPv4 or IPv6 addresses, as `10.0.0.0/8` describes one. */
export interface IpRange {
  /** The network in words of 32 bits: one for IPv4, four for IPv6. */
  readonly words: readonly number[];
  /** How many bits all addresses of the range share. */
  readonly prefix: number;
}

/**
 * An address, or an address and a prefix length. Bits behind the prefix are
 * ignored. `undefined` when the text is neither.
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [, address = "", prefix] =
    /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const words = address.includes(":") ? parseIpv6(address) : parseIpv4(address);
  if (words === undefined) return undefined;
  const length = prefix === undefined ? words.length * 32 : Number(prefix);
  return length > words.length * 32 ? undefined : toRange(words, length);
}

/** Whether `range` holds all of `other`; a single address is a range too. */
export function includesRange(range: IpRange, other: IpRange): boolean {
  const { words, prefix } = range;
  if (words.length !== other.words.length || prefix > other.prefix) {
    return false;
  }
  return words.every(
    (word, i) => word === keepBits(other.words[i] ?? 0, prefix - 32 * i),
  );
}

/**
 * An IPv6 range that carries an IPv4 one (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2)
 * as the latter, for dual-stack sockets report IPv4 peers so; any other as it
 * is.
 */
export function unmapped(range: IpRange): IpRange {
  return range.words.length === 4 && includesRange(mapped, range)
    ? { words: range.words.slice(3), prefix: range.prefix - 96 }
    : range;
}

/**
 * What one subscriber of a network is given, as a text to count by: an IPv4
 * address itself, and of an IPv6 address its first 64 bits. What is no address
 * is answered as it is.
 */
export function networkOf(address: string): string {
  const range = parseIpRange(address);
  if (range === undefined) return address;
  const { words } = unmapped(range);
  return words.slice(0, 2).join(".");
}

/**
 * The smallest block that the internet routes on its own, as a text to count
 * by: an IPv4 address's first 24 bits, an IPv6 address's first 48. It often has
 * one owner. What is no address is answered as it is.
 */
export function routedBlockOf(address: string): string {
  const range = parseIpRange(address);
  if (range === undefined) return address;
  const { words } = unmapped(range);
  const [first = 0, second = 0] = words;
  return words.length === 1
    ? String(keepBits(first, 24))
    : `${first}.${keepBits(second, 16)}`;
}

const mapped: IpRange = { words: [0, 0, 0xffff, 0], prefix: 96 };

function toRange(address: readonly number[], prefix: number): IpRange {
  const words = address.map((word, i) => keepBits(word, prefix - 32 * i));
  return { words, prefix };
}

/** The first `count` bits of a word, the others 0. */
function keepBits(word: number, count: number): number {
  // A shift takes its distance modulo 32.
  if (count <= 0) return 0;
  return count >= 32 ? word : (word & (-1 << (32 - count))) >>> 0;
}

/** Dotted decimal; leading zeros are refused, since some read them as octal. */
function parseIpv4(text: string): [number] | undefined {
  const parts = text.split(".", 5);
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part <= 255)
  ) {
    return undefined;
  }
  return [parts.reduce((value, part) => value * 256 + Number(part), 0)];
}

/** RFC 4291 §2.2, without zones. */
function parseIpv6(text: string): number[] | undefined {
  const halves = withoutDots(text)?.split("::", 3);
  if (halves === undefined || halves.length > 2) return undefined;
  const [head = [], rest = []] = halves.map((half) =>
    half === "" ? [] : half.split(":", 9),
  );
  const zeros = 8 - head.length - rest.length;
  if (halves.length === 1 ? zeros !== 0 : zeros < 1) return undefined;
  const groups = [...head, ...new Array<string>(zeros).fill("0"), ...rest];
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) {
    return undefined;
  }
  const values = groups.map((group) => Number.parseInt(group, 16));
  return [0, 2, 4, 6].map(
    (i) => (values[i] ?? 0) * 0x10000 + (values[i + 1] ?? 0),
  );
}

/** The text with its last four bytes, if in dotted form, as two groups. */
function withoutDots(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const cut = text.lastIndexOf(":") + 1;
  const [word] = parseIpv4(text.slice(cut)) ?? [];
  return word === undefined
    ? undefined
    : `${text.slice(0, cut)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
}
