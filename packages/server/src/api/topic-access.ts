/** Lets callers reach topics of other projects, as access policies allow. */

import type {
  AccessAction,
  Clock,
  ConditionContext,
  EpochMs,
  ProjectId,
  TopicAccess,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { principalOf, scopeOf } from "./authentication.ts";

interface AccessPorts {
  readonly access: TopicAccess;
  readonly clock: Clock;
}

/**
 * The project in which the caller may do this with a topic: for the rest of
 * the request it stands where the caller's own would.
 *
 * @throws CarillonError TOPIC_ACCESS_DENIED
 */
export async function projectFor(
  request: FastifyRequest,
  ports: AccessPorts,
  topicUrn: string,
  action: AccessAction,
): Promise<ProjectId> {
  const { domainId, id: projectId } = scopeOf(request);
  return await ports.access.projectFor(
    { domainId, projectId },
    topicUrn,
    action,
    () => contextOf(request, ports.clock.now()),
  );
}

/**
 * The same by the URN of a subscription, whose topic counts.
 *
 * @throws CarillonError TOPIC_ACCESS_DENIED
 */
export async function projectForSubscription(
  request: FastifyRequest,
  ports: AccessPorts,
  subscriptionUrn: string,
  action: AccessAction,
): Promise<ProjectId> {
  const topicUrn = subscriptionUrn.slice(0, subscriptionUrn.lastIndexOf(":"));
  return await projectFor(request, ports, topicUrn, action);
}

/** What conditions can ask for; the names are those of the cloud's policies. */
function contextOf(request: FastifyRequest, now: EpochMs): ConditionContext {
  const { userId, userName } = principalOf(request);
  const { name, domainName } = scopeOf(request);
  return {
    "g:CurrentTime": new Date(now).toISOString(),
    "g:SourceIp": request.ip,
    "g:UserId": userId,
    "g:UserName": userName,
    "g:DomainName": domainName,
    "g:ProjectName": name,
  };
}
