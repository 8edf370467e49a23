/** How messages to http and https subscriptions are signed. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  type JsonObject,
  readBoolean,
  readObject,
  readObjects,
  readText,
} from "../json.ts";
import {
  type SubscriptionReference,
  type TopicReference,
  toSubscriptionUrn,
  toTopicUrn,
} from "../smn/references.ts";
import type { NewSubscription } from "../smn/subscriptions.ts";
import type { RequestOptions } from "../transport.ts";

/** Which scheme a subscription has, or is to have. */
export interface SignatureChoice {
  /** `smn` (the default of subscriptions), `standard-webhooks` or `none`. */
  readonly scheme: string;
  /**
   * Of `standard-webhooks`: `hmac-sha256`, the default, or `ed25519`.
   */
  readonly algorithm?: string | undefined;
}

/** How a subscription's key is replaced. */
export interface SignatureRotation {
  /** Default: that of the newest key. */
  readonly algorithm?: string | undefined;
  /** How long earlier keys sign too; default a day, at most 30 days. */
  readonly overlapSeconds?: number | undefined;
}

/** A key that signs. */
export interface SignatureKey extends JsonObject {
  /** From 1, by age. */
  readonly number: number;
  readonly algorithm: string;
  /** UTC; it signs until then. `undefined` for the newest key. */
  readonly until: string | undefined;
  /** `whsec_…` of `hmac-sha256`, where it is asked for; see `verifyWebhook`. */
  readonly secret: string | undefined;
  /** `whpk_…` of `ed25519`. */
  readonly publicKey: string | undefined;
}

/** How messages to a subscription are signed. */
export interface Signature extends JsonObject {
  readonly scheme: string;
  /** Newest first; empty unless the scheme is `standard-webhooks`. */
  readonly keys: readonly SignatureKey[];
}

/** A subscription with the signature it is to have from the start. */
export interface NewSignedSubscription extends NewSubscription {
  readonly signature: SignatureChoice;
}

/** What came of subscribing. */
export interface SignedSubscription extends JsonObject {
  readonly subscriptionUrn: string;
  /** False: the endpoint was subscribed, with the signature it has. */
  readonly created: boolean;
  /** Without secrets. */
  readonly signature: Signature;
}

/** Chooses, shows and rotates what subscriptions are signed with. */
export interface Signatures {
  /** Without secrets. */
  get(
    subscription: SubscriptionReference,
    options?: RequestOptions,
  ): Promise<Signature>;
  /** The same with the secrets; stands in the audit log. */
  reveal(
    subscription: SubscriptionReference,
    options?: RequestOptions,
  ): Promise<Signature>;
  /**
   * All keys there are end at once, also where the same is set again;
   * `standard-webhooks` gets a fresh one. Answers its secret. Not sent again
   * when no answer came: of two that arrive, the answer may be the ended one.
   */
  set(
    subscription: SubscriptionReference,
    choice: SignatureChoice,
    options?: RequestOptions,
  ): Promise<Signature>;
  /** Signs with a fresh key from now on; answers the secrets. */
  rotate(
    subscription: SubscriptionReference,
    rotation?: SignatureRotation,
    options?: RequestOptions,
  ): Promise<Signature>;
  /** Subscribes; the message that asks to confirm is signed so already. */
  subscribe(
    topic: TopicReference,
    subscription: NewSignedSubscription,
    options?: RequestOptions,
  ): Promise<SignedSubscription>;
}

export function createSignatures(api: Api): Signatures {
  const pathOf = (subscription: SubscriptionReference, ...rest: string[]) => [
    "subscriptions",
    toSubscriptionUrn(subscription),
    "signature",
    ...rest,
  ];
  return {
    async get(subscription, options) {
      const path = pathOf(subscription);
      return toSignature((await api({ method: "GET", path }, options)).body);
    },
    async reveal(subscription, options) {
      const path = pathOf(subscription, "reveal");
      const request = { method: "POST", path, isIdempotent: true } as const;
      return toSignature((await api(request, options)).body);
    },
    async set(subscription, body, options) {
      const path = pathOf(subscription);
      const request = {
        method: "PUT",
        path,
        body,
        isIdempotent: false,
      } as const;
      return toSignature((await api(request, options)).body);
    },
    async rotate(subscription, body = {}, options) {
      const path = pathOf(subscription, "rotate");
      const request = { method: "POST", path, body } as const;
      return toSignature((await api(request, options)).body);
    },
    async subscribe(topic, subscription, options) {
      const path = ["topics", toTopicUrn(topic), "subscriptions"];
      const request = { method: "POST", path, body: subscription } as const;
      const { body } = await api(request, options);
      return {
        ...body,
        subscriptionUrn: readText(body, "urn"),
        created: readBoolean(body, "created"),
        signature: toSignature(readObject(body, "signature")),
      };
    },
  };
}

function toSignature(body: JsonObject): Signature {
  return {
    ...body,
    scheme: readText(body, "scheme"),
    keys: readObjects(body, "keys").map((key) => ({
      ...key,
      number: findNumber(key, "number") ?? 0,
      algorithm: readText(key, "algorithm"),
      until: findText(key, "until"),
      secret: findText(key, "secret"),
      publicKey: findText(key, "publicKey"),
    })),
  };
}
