/** How messages to a subscription are signed. */

import type { WebhookKeyText } from "@carillon/channels";
import {
  type Clock,
  defaultOverlapSeconds,
  keysAt,
  maxOverlapSeconds,
  type SignatureKey,
  type Subscription,
  type SubscriptionId,
  type Subscriptions,
  signatureAlgorithms,
  signatureSchemes,
  smnSignature,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant } from "./schema-parts.ts";

export interface SignaturePorts {
  readonly subscriptions: Subscriptions;
  readonly webhookKeys: {
    textOf(id: SubscriptionId, key: SignatureKey): WebhookKeyText;
  };
  readonly clock: Clock;
}

const invalid = failsWith("SIGNATURE_INVALID");

const scheme = Type.String({
  description: `${signatureSchemes.join(", ")}: as SMN does (the default), as Standard Webhooks 1.0.0 says, or not at all`,
  ...invalid,
});

const algorithm = Type.String({
  description: `Of scheme standard-webhooks: ${signatureAlgorithms.join(" or ")}`,
  ...invalid,
});

export const SignatureBody = Type.Object(
  { scheme, algorithm: Type.Optional(algorithm) },
  {
    title: "SignatureChoice",
    description: "How messages to a webhook are signed",
    ...invalid,
  },
);

const RotationBody = Type.Object(
  {
    algorithm: Type.Optional(algorithm),
    overlapSeconds: Type.Optional(
      Type.Integer({
        description: `How long earlier keys sign too, 0 to ${maxOverlapSeconds}`,
        default: defaultOverlapSeconds,
        ...invalid,
      }),
    ),
  },
  { title: "SignatureRotation", ...invalid },
);

export const Signature = Type.Object(
  {
    scheme,
    keys: Type.Array(
      Type.Object({
        number: Type.Integer({ description: "From 1, by age" }),
        algorithm,
        until: Type.Optional(
          instant("It signs until then; absent for the newest key"),
        ),
        secret: Type.Optional(
          Type.String({
            description:
              "whsec_…, of hmac-sha256: shown when it is made and by reveal",
          }),
        ),
        publicKey: Type.Optional(
          Type.String({ description: "whpk_…, of ed25519" }),
        ),
      }),
      {
        description:
          "Those that sign now, newest first; empty unless the scheme is standard-webhooks",
      },
    ),
  },
  {
    title: "Signature",
    description: "How messages to a webhook are signed; only of http and https",
  },
);

const params = Type.Object({
  subscriptionUrn: Type.String({
    description: "Of an http or https subscription of the caller's project",
  }),
});
const tags = ["Subscriptions"];

export function signatureRoutes(
  app: HttpApp,
  { subscriptions, ...ports }: SignaturePorts,
): void {
  const path = "/subscriptions/:subscriptionUrn/signature";

  app.get(
    path,
    {
      config: { operation: "subscriptions.read" },
      schema: {
        summary: "Shows how messages to a subscription are signed",
        description: "Without secrets; see reveal.",
        tags,
        params,
        response: { 200: Signature, ...refusals },
      },
    },
    async (request) => {
      const { subscriptionUrn } = request.params;
      const found = await subscriptions.get(
        projectOf(request),
        subscriptionUrn,
      );
      return toSignatureBody(ports, found, false);
    },
  );

  app.put(
    path,
    {
      config: { operation: "subscriptions.write" },
      schema: {
        summary: "Chooses how messages to a subscription are signed",
        description:
          "From now on, with retries of earlier messages. All keys there are end at once, also where the same is set again; standard-webhooks gets a fresh one. Answers its secret.",
        tags,
        params,
        body: SignatureBody,
        response: { 200: Signature, ...refusals },
      },
    },
    async (request) => {
      const { subscriptionUrn } = request.params;
      const changed = await subscriptions.setSignature(
        projectOf(request),
        subscriptionUrn,
        request.body,
      );
      return toSignatureBody(ports, changed, true);
    },
  );

  app.post(
    `${path}/rotate`,
    {
      config: { operation: "subscriptions.write" },
      schema: {
        summary: "Signs with a fresh key from now on",
        description:
          "Earlier keys sign too until the overlap ends, and none longer than it would have. Answers the secrets.",
        tags,
        params,
        body: RotationBody,
        response: { 200: Signature, ...refusals },
      },
    },
    async (request) => {
      const { subscriptionUrn } = request.params;
      const changed = await subscriptions.rotateSignatureKey(
        projectOf(request),
        subscriptionUrn,
        request.body,
      );
      return toSignatureBody(ports, changed, true);
    },
  );

  app.post(
    `${path}/reveal`,
    {
      config: { operation: "subscriptions.write" },
      schema: {
        summary: "Shows the secrets that messages to it are signed with",
        description:
          "No GET, because it stands in the audit log. Changes nothing.",
        tags,
        params,
        response: { 200: Signature, ...refusals },
      },
    },
    async (request) => {
      const { subscriptionUrn } = request.params;
      const found = await subscriptions.get(
        projectOf(request),
        subscriptionUrn,
      );
      return toSignatureBody(ports, found, true);
    },
  );
}

export function toSignatureBody(
  { webhookKeys, clock }: Omit<SignaturePorts, "subscriptions">,
  { id, signature = smnSignature }: Subscription,
  withSecrets: boolean,
): Static<typeof Signature> {
  const toKey = (key: SignatureKey) => {
    const { number, algorithm, until } = key;
    const text = webhookKeys.textOf(id, key);
    return {
      number,
      algorithm,
      ...(until !== undefined && { until: toMillisecondsText(until) }),
      ...((withSecrets || "publicKey" in text) && text),
    };
  };
  return {
    scheme: signature.scheme,
    keys: keysAt(signature, clock.now()).map(toKey),
  };
}
