/**
 * Finds circles of forwarding gateways. Every request names the gateways it
 * has passed; one that finds itself among them refuses. Peers of other makes
 * drop the header, so a circle through them is not seen.
 */

import { ConfigurationError } from "../../errors.ts";

export const VIA_HEADER = "carillon-forward-via";

const passed = new WeakMap<object, readonly string[]>();

/** The header for an object that leaves the gateway of this id. */
export function viaHeader(object: object, gatewayId: string): string {
  return [...(passed.get(object) ?? []), gatewayId].join(", ");
}

/**
 * Notes where an object came through. Throws `ConfigurationError` if it has
 * been here before.
 */
export function noteVia(
  object: object,
  header: string | undefined,
  gatewayId: string,
): void {
  if (!header) return;
  const ids = header.split(",").map((id) => id.trim());
  if (ids.includes(gatewayId)) {
    throw new ConfigurationError(
      "A forwarded message came back to a gateway it had passed: " +
        "the forward providers form a circle",
    );
  }
  passed.set(object, ids);
}
