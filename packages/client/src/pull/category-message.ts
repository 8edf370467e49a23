/** Messages as they are published to categories over Carillon's own API. */

import type { Api } from "../api.ts";
import { findInstantText, type Instant } from "../carillon/instant-text.ts";
import { newIdempotencyKey } from "../carillon/messages.ts";
import { InvalidResponseError } from "../errors.ts";
import { findText, type JsonObject } from "../json.ts";
import type { MessageAttribute } from "../smn/messages.ts";
import type { PublishOptions } from "../transport.ts";
import { findPublication, type PublicationResponse } from "./publication.ts";

/** References of a publisher's categories; `*`: all its subscribers. */
export type Categories = string | readonly string[];

/** A message to the subscribers of categories; each gets it once. */
export interface CategoryMessage {
  readonly message: string;
  /** Default `*`. Those that do not exist are passed over. */
  readonly categories?: Categories | undefined;
  /** For webhooks, and handed to pull subscribers. */
  readonly subject?: string | undefined;
  /** What filter policies look at. */
  readonly attributes?: readonly MessageAttribute[] | undefined;
  /** Comes to pull subscribers as `data`; at most 8 KiB. */
  readonly data?: JsonObject | undefined;
  /** The next message of a key comes once the one before is confirmed. */
  readonly orderingKey?: string | undefined;
  /** It comes so long from now; or say `notBefore`. */
  readonly delayMs?: number | undefined;
  readonly notBefore?: Instant | undefined;
  /** It does not come any more; or say `timeToLiveSeconds`. */
  readonly expiresAt?: Instant | undefined;
  readonly timeToLiveSeconds?: number | undefined;
}

/** A message that was published to categories. */
export interface CategoryPublication {
  /** The message's; absent when no category exists, and nothing was published. */
  readonly id: string | undefined;
  readonly counts: PublicationResponse;
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
): Promise<CategoryPublication> {
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
  const counts = findPublication(body);
  if (counts === undefined) {
    throw new InvalidResponseError(
      'Expected "passed" and "failed" in the answer to be numbers.',
    );
  }
  return {
    id: findText(body, "id"),
    counts,
    isReplayed: headers.get("idempotency-replayed") === "true",
  };
}
