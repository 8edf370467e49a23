/**
 * The addresses that mails come back to: `bounce+{token}@domain`, one for each
 * delivery, so that a bounce says which mail it is about however little it quotes.
 * The token is signed: who has not seen the address of a mail, which its recipient
 * does, cannot make up a bounce of it.
 */

import {
  createHmac,
  createSecretKey,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";
import { type EpochMs, isHexId, type MessageId } from "@carillon/core";
import type { MailKey } from "./mail-key.ts";

export interface BounceAddressOptions {
  /** 32 bytes, those that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  readonly domain: string;
  /** What stands before the `+`; at most 7 letters and digits. */
  readonly mailbox: string;
}

export interface BounceAddresses {
  addressOf(mail: MailKey, now: EpochMs): string;
  /**
   * - `mail`: a bounce of it comes here.
   * - `mailbox`: the address without a token, for complaints.
   * - `expired`: it was one.
   * - `unknown`: none of ours.
   */
  read(
    address: string,
    now: EpochMs,
  ):
    | { readonly kind: "mail"; readonly mail: MailKey }
    | { readonly kind: "mailbox" | "expired" | "unknown" };
}

/** Longer than any server tries; complaints come within days. */
export const bounceTokenDays = 60;

const dayMs = 86_400_000;
/** Of the signature: 80 bits. */
const macBytes = 10;
const idCharacters = 26;
const macCharacters = 16;
const dayCharacters = 4;

export function createBounceAddresses({
  key,
  domain,
  mailbox,
}: BounceAddressOptions): BounceAddresses {
  const derived = createSecretKey(
    Buffer.from(hkdfSync("sha256", key, "", "bounce address", 32)),
  );
  const lowerDomain = domain.toLowerCase();

  function sign(messageId: string, day: number, target: number): Buffer {
    return createHmac("sha256", derived)
      .update(`${messageId} ${day} ${target}`)
      .digest()
      .subarray(0, macBytes);
  }

  return {
    addressOf({ messageId, target }, now) {
      const day = Math.floor(now / dayMs);
      const token = [
        toBase32(Buffer.from(messageId, "hex")),
        toBase32(sign(messageId, day, target)),
        day.toString(36).padStart(dayCharacters, "0"),
        target.toString(36),
      ].join("");
      return `${mailbox}+${token}@${domain}`;
    },
    read(address, now) {
      const at = address.lastIndexOf("@");
      // Mail servers may change the case of what they pass on.
      const local = address.slice(0, Math.max(at, 0)).toLowerCase();
      const domainOf = address.slice(at + 1).toLowerCase();
      if (domainOf !== lowerDomain) return { kind: "unknown" };
      if (local === mailbox) return { kind: "mailbox" };
      const match = tokenPattern.exec(local);
      if (!match || match[1] !== mailbox) return { kind: "unknown" };
      const [, , id = "", mac = "", dayText = "", targetText = ""] = match;
      const messageId = fromBase32(id).toString("hex");
      const given = fromBase32(mac);
      const day = Number.parseInt(dayText, 36);
      const target = Number.parseInt(targetText, 36);
      if (!isHexId(messageId) || !Number.isSafeInteger(target)) {
        return { kind: "unknown" };
      }
      if (!timingSafeEqual(given, sign(messageId, day, target))) {
        return { kind: "unknown" };
      }
      if (Math.floor(now / dayMs) - day > bounceTokenDays) {
        return { kind: "expired" };
      }
      // It is an id, as was checked above.
      return {
        kind: "mail",
        mail: { messageId: messageId as MessageId, target },
      };
    },
  };
}

const tokenPattern = new RegExp(
  `^([a-z0-9]+)\\+([a-z2-7]{${idCharacters}})([a-z2-7]{${macCharacters}})([0-9a-z]{${dayCharacters}})([0-9a-z]{1,10})$`,
);

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 §6 in lower case, without padding: letters of either case are alike. */
function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
    }
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text;
}

function fromBase32(text: string): Buffer {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8));
  let at = 0;
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | alphabet.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (value >> bits) & 255;
  }
  return bytes;
}
