/** The `extension` of a subscription as SMN writes it. */

import { CarillonError, type ExtensionRequest } from "@carillon/core";

/**
 * Reads an `extension`; unknown members are ignored.
 *
 * @throws CarillonError SUBSCRIPTION_INVALID when it is no object
 */
export function readExtension(body: unknown): ExtensionRequest | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body !== "object" || Array.isArray(body)) {
    throw new CarillonError(
      "SUBSCRIPTION_INVALID",
      "Invalid extension: an object is expected.",
    );
  }
  return {
    header: "header" in body ? body.header : undefined,
    verificationCodeEnabled:
      "verification_code_enabled" in body
        ? body.verification_code_enabled
        : undefined,
  };
}
