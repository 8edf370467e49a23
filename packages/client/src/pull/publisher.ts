/** Publishes with the credentials of a publisher account. */

import type { Api } from "../api.ts";
import { FailedToSendMessageError } from "../errors.ts";
import { parseObject } from "../json.ts";
import type { PublishOptions, RequestOptions } from "../transport.ts";
import { type AccountSettings, createAccountApis } from "./account-apis.ts";
import {
  type Categories,
  type CategoryMessage,
  type Publication,
  publishToCategories,
} from "./category-message.ts";
import type { Notipy } from "./notipy.ts";
import { findPublication, type PublicationResponse } from "./publication.ts";

/**
 * A publisher account, at any service of the Notipy protocol. Nothing is sent before
 * the first message is.
 *
 * ```ts
 * const publisher = new Publisher({ id, secret, baseUrl });
 * const { passed, total } = await publisher.publish("The disk is full", "disks");
 * ```
 */
export class Publisher {
  readonly id: string;
  readonly #notipy: Notipy;
  readonly #api: Api;

  /** @throws InvalidOptionsError */
  constructor(settings: AccountSettings) {
    const { notipy, api } = createAccountApis(settings);
    this.id = settings.id;
    this.#notipy = notipy;
    this.#api = api;
  }

  /**
   * Sends a text to the subscribers of a category, or of several, each once; to all
   * by default. It is sent once, whatever comes of it.
   *
   * @throws InvalidCredentialsError, FailedToSendMessageError
   */
  async publish(
    message: string,
    categories: Categories = "*",
    options?: RequestOptions,
  ): Promise<PublicationResponse> {
    const toError = (
      ...given: ConstructorParameters<typeof FailedToSendMessageError>
    ) => new FailedToSendMessageError(...given);
    const text = await this.#notipy(
      {
        method: "POST",
        body: { message, category: categories },
        isSuccess: (status) => status === 200,
        toError,
      },
      options,
    );
    const publication = findPublication(parseObject(text) ?? {});
    if (publication) return publication;
    throw toError("The message was taken, but the answer has no counts", {
      status: 200,
      text,
    });
  }

  /**
   * The same with all that a message may carry: by Carillon's own API, so at
   * Carillon only. Sent again when no answer comes, and published once.
   */
  publishMessage(
    message: CategoryMessage,
    options?: PublishOptions,
  ): Promise<Publication> {
    return publishToCategories(this.#api, this.id, message, options);
  }
}
