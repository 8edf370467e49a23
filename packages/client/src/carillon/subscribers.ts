/** Subscriber accounts: mailboxes, their credentials, and what they follow. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  isObject,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { type Accounts, createAccounts, type WithSecret } from "./accounts.ts";

/**
 * Whether a GET of the Notipy protocol may be a confirmation: `on` and `off` for all
 * clients; `auto`: if it is Python's and the subscriber has never confirmed by id.
 */
export const legacyConfirmModes = ["auto", "on", "off"] as const;

/** One of them. */
export type LegacyConfirm = (typeof legacyConfirmModes)[number];

/** A mailbox, without the secret of its credentials. */
export interface PullSubscriber extends JsonObject {
  /** The endpoint of the subscriptions that fill it. */
  readonly name: string;
  /** The user name of its credentials. */
  readonly id: string;
  /** False: a subscription made it; only the project's credentials fetch from it. */
  readonly hasSecret: boolean;
  /** Nothing is put into it, and its own credentials fetch nothing. */
  readonly disabled: boolean;
  /** How many messages it may hold that are not confirmed. */
  readonly quota: number;
  /** How many it holds. */
  readonly depth: number;
  /** A mode that a newer server knows is handed through. */
  readonly legacyConfirm: string;
  /** How many of its messages are in which state; only `get` answers it. */
  readonly counts?: MailboxCounts | undefined;
  readonly createdAt: string;
}

/** How many messages of a mailbox are in which state. */
export interface MailboxCounts {
  readonly waiting: number;
  readonly leased: number;
  /** On the dead-letter list. */
  readonly dead: number;
}

/** What its owner sets of a mailbox. */
export interface SubscriberSettings {
  /** 1 to 10,000,000. Default: as the server is set up. */
  readonly quota?: number | undefined;
  /** Default `auto`. */
  readonly legacyConfirm?: LegacyConfirm | undefined;
}

/** What a new subscriber needs. */
export interface NewSubscriber extends SubscriberSettings {
  readonly name: string;
}

/** What of a subscriber is changed; what is absent stays. */
export interface SubscriberChange extends SubscriberSettings {
  readonly disabled?: boolean | undefined;
}

/** A publisher that a subscriber follows. */
export interface Followed extends JsonObject {
  readonly publisher: string;
  /** References; empty: only what goes to all subscribers. */
  readonly categories: readonly string[];
}

/** Whom a subscriber is to follow, or not any more. */
export interface FollowRequest {
  /** Its name. */
  readonly publisher: string;
  /**
   * References. Absent, to follow: only what goes to all; not to follow any more: the
   * publisher, with all its categories.
   */
  readonly categories?: readonly string[] | undefined;
}

/** Subscribers of the project, each by its name; and whom they follow. */
export interface Subscribers
  extends Accounts<PullSubscriber, SubscriberChange> {
  create(
    subscriber: NewSubscriber,
    options?: RequestOptions,
  ): Promise<PullSubscriber & WithSecret>;
  following(
    name: string,
    options?: RequestOptions,
  ): Promise<readonly Followed[]>;
  /** What it follows already stays. Answers all that it follows. */
  follow(
    name: string,
    followed: FollowRequest,
    options?: RequestOptions,
  ): Promise<readonly Followed[]>;
  /** What its mailbox holds stays. Categories are left one by one. */
  unfollow(
    name: string,
    followed: FollowRequest,
    options?: RequestOptions,
  ): Promise<void>;
}

export function createSubscribers(api: Api): Subscribers {
  const followingOf = (name: string) => ["subscribers", name, "following"];
  return {
    ...createAccounts(api, "subscribers", toSubscriber),
    async following(name, options) {
      const path = followingOf(name);
      const { body } = await api({ method: "GET", path }, options);
      return toFollowing(body);
    },
    async follow(name, body, options) {
      const path = followingOf(name);
      const { body: answer } = await api(
        { method: "POST", path, body, isIdempotent: true },
        options,
      );
      return toFollowing(answer);
    },
    async unfollow(name, { publisher, categories = [undefined] }, options) {
      const path = followingOf(name);
      for (const category of categories) {
        const query = { publisher, category };
        await api({ method: "DELETE", path, query }, options);
      }
    },
  };
}

function toSubscriber(body: JsonObject): PullSubscriber {
  const counts = isObject(body.counts) ? toCounts(body.counts) : undefined;
  return {
    ...body,
    name: readText(body, "name"),
    id: readText(body, "id"),
    hasSecret: body.hasSecret !== false,
    disabled: body.disabled === true,
    quota: findNumber(body, "quota") ?? 0,
    depth: findNumber(body, "depth") ?? 0,
    legacyConfirm: findText(body, "legacyConfirm") ?? "auto",
    ...(counts && { counts }),
    createdAt: readText(body, "createdAt"),
  };
}

function toCounts(counts: JsonObject): MailboxCounts {
  return {
    waiting: findNumber(counts, "waiting") ?? 0,
    leased: findNumber(counts, "leased") ?? 0,
    dead: findNumber(counts, "dead") ?? 0,
  };
}

function toFollowing(body: JsonObject): Followed[] {
  return readObjects(body, "following").map((followed) => ({
    ...followed,
    publisher: readText(followed, "publisher"),
    categories: findTexts(followed, "categories"),
  }));
}
