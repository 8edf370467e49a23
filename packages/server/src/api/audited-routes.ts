/** Which requests stand in the audit log, and writes those that succeed. */

import {
  type IdentityStore,
  maskMailAddress,
  maskPhoneNumber,
  type ProjectId,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { AuditAction } from "../identity/audit-actions.ts";
import type { AuditLog } from "../identity/audit-log.ts";
import type { HttpApp } from "./http-app.ts";

/**
 * What others depend on: who may do what, keys, policies and settings; and what
 * is done to deliveries by hand. Not topics, messages, and how subscriptions
 * come to be.
 */
const audited: readonly RegExp[] = [
  /^\/api\/v2\/deliveries\/:\w+\//,
  /^\/api\/v2\/messages\/:\w+\/cancel$/,
  /^\/api\/v2\/(sms|emails)\/:\w+\/(cancel|retry)$/,
  /^\/api\/v2\/delivery-jobs(\/:\w+\/cancel)?$/,
  /^\/api\/v2\/(domains|projects|users|access-keys|signing-keys|keys|opt-outs|email-suppressions|config|providers)(\/|$)/,
  // Not what they publish.
  /^\/api\/v2\/(publishers|subscribers)(\/:name(\/(secret|categories|following))?)?$/,
  /^\/api\/v2\/subscriptions\/:mailbox\/dead::redrive$/,
  /^\/(api\/v2|v2\/:project_id\/notifications)\/topics\/:\w+\/(attributes|kms|logtanks|notify-policy)(\/|$)/,
  /^\/v2\/:project_id\/notifications\/subscriptions\/filter_polices$/,
  /^\/api\/v2\/subscriptions\/:\w+(\/signature(\/\w+)?)?$/,
  // Revoking; a log-in has no caller here, and writes an entry of its own.
  /^\/v3\/auth\/tokens$/,
];

const smn = "/v2/:project_id/notifications";
const smnTopic = `${smn}/topics/:topic_urn`;

/** By method and path as it was registered. */
const actions: Readonly<Record<string, AuditAction>> = {
  "POST /v3/auth/tokens": "login",
  "DELETE /v3/auth/tokens": "token.revoke",
  "POST /api/v2/domains": "domain.create",
  "PATCH /api/v2/domains/:domainId": "domain.change",
  "DELETE /api/v2/domains/:domainId": "domain.delete",
  "POST /api/v2/projects": "project.create",
  "PATCH /api/v2/projects/:projectId": "project.change",
  "DELETE /api/v2/projects/:projectId": "project.delete",
  "POST /api/v2/users": "user.create",
  "PATCH /api/v2/users/:userId": "user.change",
  "PUT /api/v2/users/:userId/projects/:projectId": "user.assign",
  "DELETE /api/v2/users/:userId/projects/:projectId": "user.unassign",
  "POST /api/v2/users/:userId/rotate": "user.rotate",
  "DELETE /api/v2/users/:userId": "user.delete",
  "POST /api/v2/access-keys": "access-key.create",
  "PATCH /api/v2/access-keys/:accessKey": "access-key.change",
  "POST /api/v2/access-keys/:accessKey/rotate": "access-key.rotate",
  "DELETE /api/v2/access-keys/:accessKey": "access-key.delete",
  "POST /api/v2/signing-keys/rotate": "signing-key.rotate",
  "POST /api/v2/providers/:name/test": "provider.test",
  "POST /api/v2/providers/:name/pause": "provider.pause",
  "POST /api/v2/providers/:name/resume": "provider.resume",
  "POST /api/v2/providers/:name/reveal": "provider.reveal",
  "POST /api/v2/config/reload": "config.reload",
  "POST /api/v2/keys": "key.create",
  "POST /api/v2/keys/:keyId/enable": "key.enable",
  "POST /api/v2/keys/:keyId/disable": "key.disable",
  "POST /api/v2/opt-outs": "opt-out.add",
  "DELETE /api/v2/opt-outs/:recipient": "opt-out.remove",
  "POST /api/v2/email-suppressions": "email-suppression.add",
  "DELETE /api/v2/email-suppressions/:address": "email-suppression.remove",
  "POST /api/v2/publishers": "publisher.create",
  "PATCH /api/v2/publishers/:name": "publisher.change",
  "POST /api/v2/publishers/:name/secret": "publisher.rotate",
  "DELETE /api/v2/publishers/:name": "publisher.delete",
  "POST /api/v2/publishers/:name/categories": "category.add",
  "DELETE /api/v2/publishers/:name/categories": "category.remove",
  "POST /api/v2/subscribers": "subscriber.create",
  "PATCH /api/v2/subscribers/:name": "subscriber.change",
  "POST /api/v2/subscribers/:name/secret": "subscriber.rotate",
  "DELETE /api/v2/subscribers/:name": "subscriber.delete",
  "POST /api/v2/subscribers/:name/following": "subscriber.follow",
  "DELETE /api/v2/subscribers/:name/following": "subscriber.unfollow",
  "POST /api/v2/subscriptions/:mailbox/dead::redrive": "subscriber.redrive",
  "POST /api/v2/deliveries/:deliveryId/resend": "delivery.resend",
  "POST /api/v2/deliveries/:deliveryId/cancel": "delivery.cancel",
  "POST /api/v2/deliveries/:deliveryId/settle": "delivery.settle",
  "POST /api/v2/messages/:messageId/cancel": "message.cancel",
  "POST /api/v2/sms/:deliveryId/cancel": "delivery.cancel",
  "POST /api/v2/sms/:deliveryId/retry": "delivery.resend",
  "POST /api/v2/emails/:deliveryId/cancel": "delivery.cancel",
  "POST /api/v2/emails/:deliveryId/retry": "delivery.resend",
  "POST /api/v2/delivery-jobs": "delivery-job.create",
  "POST /api/v2/delivery-jobs/:jobId/cancel": "delivery-job.cancel",
  "PUT /api/v2/topics/:topicUrn/notify-policy": "notify-policy.change",
  "DELETE /api/v2/topics/:topicUrn/notify-policy": "notify-policy.delete",
  "DELETE /api/v2/subscriptions/:subscriptionUrn": "subscription.delete",
  "PUT /api/v2/subscriptions/:subscriptionUrn/signature": "signature.set",
  "POST /api/v2/subscriptions/:subscriptionUrn/signature/rotate":
    "signature.rotate",
  "POST /api/v2/subscriptions/:subscriptionUrn/signature/reveal":
    "signature.reveal",
  [`PUT ${smnTopic}/attributes/:name`]: "topic-attribute.set",
  [`DELETE ${smnTopic}/attributes`]: "topic-attribute.delete",
  [`DELETE ${smnTopic}/attributes/:name`]: "topic-attribute.delete",
  [`POST ${smn}/subscriptions/filter_polices`]: "filter-policy.create",
  [`PUT ${smn}/subscriptions/filter_polices`]: "filter-policy.change",
  [`DELETE ${smn}/subscriptions/filter_polices`]: "filter-policy.delete",
  [`POST ${smnTopic}/kms`]: "key-binding.create",
  [`PUT ${smnTopic}/kms/:kms_id`]: "key-binding.change",
  [`DELETE ${smnTopic}/kms/:kms_id`]: "key-binding.delete",
  [`POST ${smnTopic}/logtanks`]: "logtank.create",
  [`PUT ${smnTopic}/logtanks/:logtank_id`]: "logtank.change",
  [`DELETE ${smnTopic}/logtanks/:logtank_id`]: "logtank.delete",
  [`POST ${smnTopic}/notify-policy`]: "notify-policy.create",
  [`PUT ${smnTopic}/notify-policy/:policy_id`]: "notify-policy.change",
  [`DELETE ${smnTopic}/notify-policy/:policy_id`]: "notify-policy.delete",
};

type Members = Readonly<Record<string, unknown>>;

const enabled = ({ enabled }: Members): Members => ({ enabled });
const idAndName = (_: Members, { id, name }: Members): Members => ({
  id,
  name,
});
const subscriptionsOf = ({ polices }: Members): Members => ({
  subscription_urns:
    Array.isArray(polices) &&
    polices.map((it: unknown) => membersOf(it).subscription_urn),
});

/**
 * What an entry has besides the path: what was made, or set. Named as in the
 * request or its answer; no secrets, and nothing that people wrote but names, and
 * the reason of a pause, which stands nowhere once the provider is resumed.
 */
const details: Readonly<
  Partial<Record<AuditAction, (asked: Members, answer: Members) => Members>>
> = {
  "domain.create": idAndName,
  "domain.change": enabled,
  "project.create": idAndName,
  "project.change": enabled,
  "user.create": (_, { id, name, role, projectIds }) => ({
    id,
    name,
    role,
    projectIds,
  }),
  "user.change": ({ role, enabled }) => ({ role, enabled }),
  "access-key.create": (_, { accessKey, userId, projectId }) => ({
    accessKey,
    userId,
    projectId,
  }),
  "access-key.change": enabled,
  "signing-key.rotate": (_, { certificateId }) => ({ certificateId }),
  "config.reload": (_, { applied, needsRestart }) => ({
    applied,
    needsRestart,
  }),
  "provider.test": ({ recipient }, { messageId }) => ({
    recipient: maskPhoneNumber(String(recipient)),
    messageId,
  }),
  "provider.pause": ({ reason }) => ({ reason }),
  "publisher.create": idAndName,
  "publisher.change": ({ disabled }) => ({ disabled }),
  "category.add": ({ reference }, { topicName }) => ({ reference, topicName }),
  "subscriber.create": idAndName,
  "subscriber.change": ({ disabled, quota, legacyConfirm }) => ({
    disabled,
    quota,
    legacyConfirm,
  }),
  "subscriber.follow": ({ publisher, categories }) => ({
    publisher,
    categories,
  }),
  "subscriber.redrive": (_, { redriven }) => ({ redriven }),
  "key.create": idAndName,
  "delivery.settle": ({ as }) => ({ as }),
  "delivery-job.create": (_, { id, action, total }) => ({ id, action, total }),
  "opt-out.add": ({ recipient, sender }) => ({
    recipient: maskPhoneNumber(String(recipient)),
    sender,
  }),
  "email-suppression.add": ({ address }) => ({
    address: maskMailAddress(String(address)),
  }),
  "filter-policy.create": subscriptionsOf,
  "filter-policy.change": subscriptionsOf,
  "filter-policy.delete": ({ subscription_urns }) => ({ subscription_urns }),
  "key-binding.create": ({ key_id }, { id }) => ({ id, key_id }),
  "key-binding.change": ({ key_id }) => ({ key_id }),
  "logtank.create": ({ log_group_id, log_stream_id }, { id }) => ({
    id,
    log_group_id,
    log_stream_id,
  }),
  "logtank.change": ({ log_group_id, log_stream_id }) => ({
    log_group_id,
    log_stream_id,
  }),
  "notify-policy.create": (_, { id }) => ({ id }),
  "signature.set": ({ scheme, algorithm }) => ({ scheme, algorithm }),
  "signature.rotate": ({ algorithm, overlapSeconds }) => ({
    algorithm,
    overlapSeconds,
  }),
};

/** Longest path in an entry, and text in its details, in characters. */
const maxTextLength = 512;

/** What the domains of things are looked up in. */
type Things = Pick<IdentityStore, "findUser" | "findProject" | "findAccessKey">;

/**
 * Writes an entry for each successful change before it is answered. To be
 * called before routes are added.
 *
 * @throws Error when a route of what is audited has no action
 */
export function auditRoutes(app: HttpApp, log: AuditLog, things: Things): void {
  /** Of requests under way: the domain that each is about. */
  const domains = new WeakMap<FastifyRequest, string>();
  /** Of requests under way: what is answered. */
  const answers = new WeakMap<FastifyRequest, unknown>();

  app.addHook("onRoute", (route) => {
    const isChange = [route.method]
      .flat()
      .some((method) => method !== "GET" && method !== "HEAD");
    if (!isChange || !audited.some((pattern) => pattern.test(route.url))) {
      return;
    }
    const action = actions[`${route.method} ${route.url}`];
    if (action === undefined) {
      throw new Error(`${route.method} ${route.url} has no audit action.`);
    }
    route.preHandler = [
      ...[route.preHandler ?? []].flat(),
      // Before it happens: what is deleted has no domain any more.
      async (request) => {
        const domainId = await findDomain(things, action, request);
        if (domainId !== undefined) domains.set(request, domainId);
      },
    ];
    route.preSerialization = [
      ...[route.preSerialization ?? []].flat(),
      async (request, _reply, payload: unknown) => {
        answers.set(request, payload);
        return payload;
      },
    ];
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      async (request, reply, payload: unknown) => {
        const { principal, method, id, ip: address, raw, body } = request;
        if (principal && reply.statusCode < 400) {
          const [path = ""] = (raw.url ?? "").split("?", 1);
          const target = maskAddress(path, route.url).slice(0, maxTextLength);
          const domainId = domains.get(request) ?? principal.domainId;
          const members = details[action]?.(
            membersOf(body),
            membersOf(answers.get(request)),
          );
          const isSet = method === "PUT" || method === "PATCH";
          await log.noteChange(
            principal,
            {
              action,
              target,
              details: members && toTexts(members),
              domainId,
              sets: isSet ? JSON.stringify(body ?? null) : undefined,
            },
            { id, address },
          );
        }
        return payload;
      },
    ];
  });
}

/**
 * The domain of what a request is about, so that its administrators see what
 * operators of another one do; `undefined`: the caller's own, or none that there
 * is.
 */
async function findDomain(
  things: Things,
  action: AuditAction,
  request: FastifyRequest,
): Promise<string | undefined> {
  const { principal } = request;
  // Nobody else reaches beyond its own domain.
  if (principal?.role !== "operator") return undefined;
  const named = (from: unknown, name: string): string => {
    const value = membersOf(from)[name];
    return typeof value === "string" ? value : "";
  };
  const { params, body } = request;
  const ofUser = async (id: string) => (await things.findUser(id))?.domainId;
  const [kind] = action.split(".", 1);
  switch (kind) {
    case "domain":
      return named(params, "domainId") || undefined;
    case "project": {
      const id = named(params, "projectId");
      return id === ""
        ? named(body, "domainId") || undefined
        : // As the request has it; there may be none of that id.
          (await things.findProject(id as ProjectId))?.domainId;
    }
    case "user": {
      const id = named(params, "userId");
      return id === "" ? named(body, "domainId") || undefined : ofUser(id);
    }
    case "access-key": {
      const id = named(params, "accessKey");
      const key = id === "" ? undefined : await things.findAccessKey(id);
      return await ofUser(key?.userId ?? named(body, "userId"));
    }
    // Of the whole installation, and one's own.
    case "signing-key":
    case "config":
    case "provider":
    case "opt-out":
    case "token":
    case "login":
      return undefined;
    default:
      return principal.project?.domainId;
  }
}

function membersOf(value: unknown): Members {
  // Of a list nobody looks up a name.
  return typeof value === "object" && value !== null ? (value as Members) : {};
}

/** What is absent or empty is left out. */
function toTexts(members: Members): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(members)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        (Array.isArray(value) ? value.join(", ") : String(value)).slice(
          0,
          maxTextLength,
        ),
      ])
      .filter(([, text]) => text !== ""),
  );
}

/** The path, with a phone number or a mail address in it as logs have them. */
function maskAddress(path: string, route: string): string {
  const [, list] =
    /^\/api\/v2\/(opt-outs|email-suppressions)\/:/.exec(route) ?? [];
  if (list === undefined) return path;
  const address = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  const mask = list === "opt-outs" ? maskPhoneNumber : maskMailAddress;
  return `/api/v2/${list}/${mask(address)}`;
}
