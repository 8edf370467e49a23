/** Messages as they are published to categories over Carillon's own API. */

import type { Api } from "../api.ts";
import { findInstantText, type Instant } from "../carillon/instant-text.ts";
import type { PublishSettings } from "../carillon/message-to-publish.ts";
import { newIdempotencyKey } from "../carillon/messages.ts";
import { InvalidResponseError } from "../errors.ts";
import { findText } from "../json.ts";
import type { PublishOptions } from "../transport.ts";
import { findPublication } from "./publication.ts";

/** References of a publisher's categories; `*`: all its subscribers. */
export type Categories = string | readonly string[];

/**
 * A message to the subscribers of categories; each gets it once. Its `extraData`
 * comes to pull subscribers as `data`.
 */
export interface CategoryMessage extends PublishSettings {
  readonly message: string;
  /** Default `*`. Those that do not exist are passed over. */
  readonly categories?: Categories | undefined;
  /** The next message of a key comes once the one before is confirmed. */
  readonly orderingKey?: string | undefined;
  /** It comes so long from now; or say `notBefore`. */
  readonly delayMs?: number | undefined;
  /** It does not come any more; or say `timeToLiveSeconds`. */
  readonly expiresAt?: Instant | undefined;
}

/** To how many subscribers a message went. */
export interface Publication {
  /** The message's; absent when no category exists, and nothing was published. */
  readonly id?: string | undefined;
  /**
   * It is in their mailbox, or on its way to them. The counts are absent when the
   * message is delayed: they are not known yet.
   */
  readonly passed?: number | undefined;
  /** Their mailbox is full or disabled. */
  readonly failed?: number | undefined;
  readonly total?: number | undefined;
  /**
   * An earlier request with the same idempotency key was accepted, and this one
   * published nothing more.
   */
  readonly isReplayed: boolean;
}

export async function publishToCategories(
  api: Api,
  publisher: string,
  message: CategoryMessage,
  options: PublishOptions = {},
): Promise<Publication> {
  const { idempotencyKey = newIdempotencyKey(), ...rest } = options;
  const { headers, body } = await api(
    {
      method: "POST",
      path: ["publishers", publisher, "messages"],
      body: {
        ...message,
        categories: message.categories ?? "*",
        notBefore: findInstantText("notBefore", message.notBefore),
        expiresAt: findInstantText("expiresAt", message.expiresAt),
      },
      idempotencyKey,
    },
    rest,
  );
  const id = findText(body, "id");
  const counts = findPublication(body);
  if (counts === undefined && id === undefined) {
    throw new InvalidResponseError(
      'Expected "id" in the answer to be a text, or "success" and "fail" to be numbers.',
    );
  }
  return {
    id,
    ...(counts && {
      passed: counts.passed,
      failed: counts.failed,
      total: counts.total,
    }),
    isReplayed: headers.get("idempotency-replayed") === "true",
  };
}
