/** Says yes to a subscription. */

import { InvalidOptionsError } from "../errors.ts";
import { fetchText } from "../fetch-text.ts";
import { toResponseError } from "../refusal.ts";
import type { RequestOptions } from "../transport.ts";
import type {
  SubscriptionConfirmation,
  UnsubscribeConfirmation,
} from "./notification.ts";
import { isVerified } from "./verified.ts";

/** How the confirmation is requested. */
export interface ConfirmOptions extends RequestOptions {
  /** Instead of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/**
 * Follows the link of a message that came out of `verifyNotification` or
 * `verifyWebhook`; of any other it would lead wherever the sender likes. Twice is fine. From an
 * UnsubscribeConfirmation it brings the subscription back.
 *
 * @throws InvalidOptionsError if the message is not verified
 * @throws ForbiddenError if the link has expired
 */
export async function confirmSubscription(
  message: SubscriptionConfirmation | UnsubscribeConfirmation,
  options: ConfirmOptions = {},
): Promise<void> {
  if (!isVerified(message)) {
    throw new InvalidOptionsError(
      "Expected a message that verifyNotification or verifyWebhook has answered, not a body or a copy.",
    );
  }
  const { fetch, signal, timeoutMs = 10_000 } = options;
  const target = `The confirmation at ${new URL(message.subscribeUrl).origin}`;
  const { response, text } = await fetchText(
    message.subscribeUrl,
    { headers: { accept: "application/json" } },
    { fetch, signal, timeoutMs, target },
  );
  if (!response.ok) throw toResponseError(response, text, target);
}
