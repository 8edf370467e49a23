/**
 * Notify policies: who is called first, and who if nobody answered. SMN has
 * them for voice calls; here the subscriptions named may be of any protocol.
 */

import {
  CarillonError,
  checkNotifyPolicy,
  defaultRoundSeconds,
  maxNotifyRounds,
  maxPerNotifyRound,
  type NotifyPolicy,
  type ProjectId,
  parseSubscriptionUrn,
  type Subscription,
  type Subscriptions,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes } from "../json-body.ts";
import { failsWith } from "../validation.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const invalid = failsWith("BINDING_INVALID");

const policyBody = Type.Object(
  {
    protocol: Type.String(failsWith("NOTIFY_PROTOCOL_INVALID")),
    polling: Type.Array(
      Type.Object(
        {
          order: Type.Integer({ minimum: 0, ...invalid }),
          subscription_urns: Type.Array(Type.String(), {
            maxItems: maxPerNotifyRound,
            ...invalid,
          }),
        },
        invalid,
      ),
      { maxItems: maxNotifyRounds, ...invalid },
    ),
  },
  invalid,
);

const policyParams = Type.Object({
  ...topicParams.properties,
  policy_id: Type.String(),
});

const voice = "callnotify";

export function notifyPolicyRoutes(
  app: HttpApp,
  {
    bindings,
    subscriptions,
    topics,
  }: Pick<SmnPorts, "bindings" | "subscriptions" | "topics">,
): void {
  app.post(
    "/topics/:topic_urn/notify-policy",
    {
      config: { operation: "topics.write" },
      schema: { params: topicParams, body: policyBody },
      bodyLimit: listBodyBytes,
    },
    async (request, reply) => {
      const projectId = projectOf(request);
      const { topic_urn } = request.params;
      await topics.get(projectId, topic_urn);
      const policy = await readPolicy(
        subscriptions,
        projectId,
        topic_urn,
        request.body,
      );
      const { id } = await bindings.create(
        projectId,
        topic_urn,
        "notifyPolicy",
        policy,
      );
      reply.code(201);
      return { request_id: request.id, id };
    },
  );

  app.get(
    "/topics/:topic_urn/notify-policy",
    { config: { operation: "topics.read" }, schema: { params: topicParams } },
    async (request) => {
      const projectId = projectOf(request);
      const { topic_urn } = request.params;
      const { id, data } = await bindings.get(
        projectId,
        topic_urn,
        "notifyPolicy",
      );
      return {
        request_id: request.id,
        id,
        protocol: data.protocol,
        polling: await Promise.all(
          data.rounds.map(async ({ order, subscriptionIds }) => {
            const found = await Promise.all(
              subscriptionIds.map((it) =>
                findOne(subscriptions, projectId, `${topic_urn}:${it}`),
              ),
            );
            return {
              order,
              subscriptions: found
                .filter((it) => it !== undefined)
                .map((it) => ({
                  subscription_urn: subscriptions.urnOf(it),
                  endpoint: it.endpoint,
                  remark: it.remark,
                  status: it.status,
                })),
            };
          }),
        ),
      };
    },
  );

  app.put(
    "/topics/:topic_urn/notify-policy/:policy_id",
    {
      config: { operation: "topics.write" },
      schema: { params: policyParams, body: policyBody },
      bodyLimit: listBodyBytes,
    },
    async (request) => {
      const projectId = projectOf(request);
      const { topic_urn, policy_id } = request.params;
      const known = await bindings.get(projectId, topic_urn, "notifyPolicy");
      const policy = await readPolicy(
        subscriptions,
        projectId,
        topic_urn,
        request.body,
        // SMN has no word for it: what our own API set stays.
        known.data.roundSeconds,
      );
      await bindings.update(
        projectId,
        topic_urn,
        "notifyPolicy",
        policy_id,
        policy,
      );
      return { request_id: request.id };
    },
  );

  app.delete(
    "/topics/:topic_urn/notify-policy/:policy_id",
    { config: { operation: "topics.write" }, schema: { params: policyParams } },
    async (request) => {
      const { topic_urn, policy_id } = request.params;
      await bindings.remove(
        projectOf(request),
        topic_urn,
        "notifyPolicy",
        policy_id,
      );
      return { request_id: request.id };
    },
  );
}

/** @throws CarillonError NOTIFY_PROTOCOL_INVALID, BINDING_INVALID */
async function readPolicy(
  subscriptions: Subscriptions,
  projectId: ProjectId,
  topicUrn: string,
  { protocol, polling }: Static<typeof policyBody>,
  roundSeconds = defaultRoundSeconds,
): Promise<NotifyPolicy> {
  if (protocol !== voice) {
    throw new CarillonError(
      "NOTIFY_PROTOCOL_INVALID",
      `Invalid protocol: notify policies are for ${voice}. The subscriptions they name may be of any protocol.`,
    );
  }
  return await resolveNotifyPolicy(subscriptions, projectId, topicUrn, {
    protocol,
    roundSeconds,
    rounds: polling.map(({ order, subscription_urns }) => ({
      order,
      subscriptionUrns: subscription_urns,
    })),
  });
}

/**
 * A policy whose subscriptions are all there, in this topic.
 *
 * @throws CarillonError BINDING_INVALID
 */
export async function resolveNotifyPolicy(
  subscriptions: Subscriptions,
  projectId: ProjectId,
  topicUrn: string,
  policy: Omit<NotifyPolicy, "rounds"> & {
    readonly rounds: readonly {
      readonly order: number;
      readonly subscriptionUrns: readonly string[];
    }[];
  },
): Promise<NotifyPolicy> {
  const checked = checkNotifyPolicy({
    ...policy,
    rounds: policy.rounds.map(({ order, subscriptionUrns }) => ({
      order,
      subscriptionIds: subscriptionUrns.map((urn) => {
        const parsed = parseSubscriptionUrn(urn);
        if (parsed && urn.startsWith(`${topicUrn}:`)) {
          return parsed.subscriptionId;
        }
        throw notOfTopic(urn);
      }),
    })),
  });
  for (const { subscriptionIds } of checked.rounds) {
    for (const id of subscriptionIds) {
      const urn = `${topicUrn}:${id}`;
      if (await findOne(subscriptions, projectId, urn)) continue;
      throw notOfTopic(urn);
    }
  }
  return checked;
}

async function findOne(
  subscriptions: Subscriptions,
  projectId: ProjectId,
  urn: string,
): Promise<Subscription | undefined> {
  try {
    return await subscriptions.get(projectId, urn);
  } catch (error) {
    const isGone =
      error instanceof CarillonError && error.code === "SUBSCRIPTION_NOT_FOUND";
    if (isGone) return undefined;
    throw error;
  }
}

function notOfTopic(urn: string): CarillonError {
  return new CarillonError(
    "BINDING_INVALID",
    `Invalid notify policy: ${urn.slice(0, 400)} is no subscription of this topic.`,
  );
}
