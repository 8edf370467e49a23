/** Publisher accounts: they publish by categories, which subscribers follow. */

import type { Api } from "../api.ts";
import { findText, type JsonObject, readObjects, readText } from "../json.ts";
import {
  type CategoryMessage,
  type Publication,
  publishToCategories,
} from "../pull/category-message.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import type { PublishOptions, RequestOptions } from "../transport.ts";
import { type Accounts, createAccounts, type WithSecret } from "./accounts.ts";

/** A publisher account, without its secret. */
export interface PullPublisher extends JsonObject {
  readonly name: string;
  /** The user name of its credentials. */
  readonly id: string;
  /** The topic of all its subscribers. */
  readonly topicName: string;
  /** Its credentials publish nothing. */
  readonly disabled: boolean;
  readonly createdAt: string;
}

/** What a new publisher needs. */
export interface NewPublisher {
  readonly name: string;
  /** Name of the topic of all its subscribers, made if there is none. Default: its name. */
  readonly topic?: string | undefined;
}

/** A category of a publisher. */
export interface Category extends JsonObject {
  /** As it was given, and as messages name it. */
  readonly reference: string;
  /** The topic behind it. */
  readonly topicName: string;
  readonly createdAt: string;
}

/** What a new category needs. */
export interface NewCategory {
  readonly reference: string;
  /** Name of its topic, made if there is none. Default: made from both names. */
  readonly topic?: string | undefined;
}

/** Publishers of the project, each by its name; and their categories. */
export interface Publishers
  extends Accounts<PullPublisher, { readonly disabled: boolean }> {
  create(
    publisher: NewPublisher,
    options?: RequestOptions,
  ): Promise<PullPublisher & WithSecret>;
  /** One that is there already is left as it is, and answered. */
  addCategory(
    name: string,
    category: NewCategory,
    options?: RequestOptions,
  ): Promise<Category>;
  categories(
    name: string,
    options?: RequestOptions,
  ): Promise<readonly Category[]>;
  /** Its topic stays, with who is subscribed to it. */
  removeCategory(
    name: string,
    reference: string,
    options?: DeleteOptions,
  ): Promise<void>;
  /** Publishes for the publisher; see `Publisher.publishMessage`. */
  publish(
    name: string,
    message: CategoryMessage,
    options?: PublishOptions,
  ): Promise<Publication>;
}

export function createPublishers(api: Api): Publishers {
  const categoriesOf = (name: string) => ["publishers", name, "categories"];
  return {
    ...createAccounts(api, "publishers", toPublisher),
    async addCategory(name, body, options) {
      const path = categoriesOf(name);
      const { body: answer } = await api(
        { method: "POST", path, body, isIdempotent: true },
        options,
      );
      return toCategory(answer);
    },
    async categories(name, options) {
      const path = categoriesOf(name);
      const { body } = await api({ method: "GET", path }, options);
      return readObjects(body, "categories").map(toCategory);
    },
    async removeCategory(name, reference, options = {}) {
      const path = categoriesOf(name);
      const query = { reference };
      const request = { method: "DELETE", path, query } as const;
      await deleted(api(request, options), options);
    },
    publish: (name, message, options) =>
      publishToCategories(api, name, message, options),
  };
}

function toPublisher(body: JsonObject): PullPublisher {
  return {
    ...body,
    name: readText(body, "name"),
    id: readText(body, "id"),
    topicName: readText(body, "topicName"),
    disabled: body.disabled === true,
    createdAt: readText(body, "createdAt"),
  };
}

function toCategory(body: JsonObject): Category {
  return {
    ...body,
    reference: readText(body, "reference"),
    topicName: readText(body, "topicName"),
    createdAt: findText(body, "createdAt") ?? "",
  };
}
