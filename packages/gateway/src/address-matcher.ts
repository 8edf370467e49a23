/** Decides whether an IP address is in a list of addresses and CIDR blocks. */

import { ConfigurationError } from "./errors.ts";

export type AddressMatcher = (address: string | undefined) => boolean;

/**
 * Accepts IPv4 and IPv6; an IPv4 address mapped into IPv6 counts as IPv4.
 * Throws `ConfigurationError` for an entry that is neither.
 */
export function createAddressMatcher(
  entries: readonly string[],
): AddressMatcher {
  const blocks = entries.map(parseBlock);
  return (address) => {
    const bits = address === undefined ? undefined : toBits(address);
    return bits !== undefined && blocks.some((b) => bits.startsWith(b));
  };
}

// A block is the string of its leading bits, with the family in front, so that
// membership is a comparison of beginnings.
function parseBlock(entry: string): string {
  const [address = "", lengthText] = entry.split("/");
  const bits = toBits(address);
  if (bits !== undefined) {
    const size = bits.length - 2;
    const length = lengthText === undefined ? size : Number(lengthText);
    if (Number.isInteger(length) && length >= 0 && length <= size) {
      return bits.slice(0, 2 + length);
    }
  }
  throw new ConfigurationError(`"${entry}" is no IP address or CIDR block`);
}

function toBits(address: string): string | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const v4 = mapped ?? address;
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(v4)) {
    const octets = v4.split(".").map(Number);
    if (octets.some((octet) => octet > 255)) return undefined;
    return `4:${octets.map((o) => o.toString(2).padStart(8, "0")).join("")}`;
  }
  return v6Bits(address.replace(/%.*$/, ""));
}

function v6Bits(address: string): string | undefined {
  const halves = address.split("::");
  if (halves.length > 2 || !address.includes(":")) return undefined;
  const [head = [], tail = []] = halves.map((half) =>
    half === "" ? [] : half.split(":"),
  );
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) {
    return undefined;
  }
  const bits = groups.map((group) =>
    Number.parseInt(group, 16).toString(2).padStart(16, "0"),
  );
  return `6:${bits.join("")}`;
}
