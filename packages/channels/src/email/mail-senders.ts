/** From which addresses mails may be sent. */

import { problemWithMailAddress, toAsciiMailAddress } from "./mail-address.ts";

/**
 * What is wrong with an entry of the senders that are allowed, as a clause:
 * `billing@example.com`, or `example.com` for every address of that domain, not
 * of those below it. `undefined`: nothing.
 */
export function problemWithMailSender(entry: string): string | undefined {
  const address = entry.includes("@") ? entry : `x@${entry}`;
  return problemWithMailAddress(address) === undefined
    ? undefined
    : "expected mail addresses such as billing@example.com, or domains such as example.com";
}

/**
 * Tells whether mails may be sent from an address.
 *
 * @param mailFrom the service's own; it always may
 * @param senders what {@link problemWithMailSender} finds nothing wrong with
 */
export function createSenderCheck(
  mailFrom: string,
  senders: readonly string[] = [],
): (address: string) => boolean {
  const allowed = new Set(
    [mailFrom, ...senders].map((sender) =>
      sender.includes("@")
        ? comparable(sender)
        : domainOf(comparable(`x@${sender}`)),
    ),
  );
  return (address) => {
    const sender = comparable(address);
    return allowed.has(sender) || allowed.has(domainOf(sender));
  };
}

/** No server tells senders apart by the case of their letters. */
function comparable(address: string): string {
  return toAsciiMailAddress(address).toLowerCase();
}

/** What stands behind the last @. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
