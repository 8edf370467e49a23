/**
 * Who may do what with topics of other projects. Callers name such a topic by
 * its URN under their own project; what they are let do is then done in the
 * project that owns the topic, and belongs to it.
 */

import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { TopicReader } from "../ports/topic-store.ts";
import type { Topic } from "../topics/topic.ts";
import type { Topics } from "../topics/topics.ts";
import { parseTopicUrn } from "../urn.ts";
import type { ConditionContext } from "./access-condition.ts";
import {
  type AccessDecision,
  type AccessPrincipal,
  decideAccess,
  explainAccess,
  type StatementTrace,
} from "./access-decision.ts";
import {
  type AccessAction,
  type AccessPolicy,
  parseAccessPolicy,
} from "./access-policy.ts";

/** Who asks, in the project its credentials are for. */
export type TopicCaller = AccessPrincipal & { readonly projectId: ProjectId };

/** A request that nobody made, to try a policy with. */
export interface AccessTrial {
  readonly topicUrn: string;
  readonly action: AccessAction;
  readonly principal: AccessPrincipal;
  /** What conditions are held against; default nothing. */
  readonly context?: ConditionContext | undefined;
  /** The text of a policy to try in place of the topic's own. */
  readonly policy?: string | undefined;
}

/** Decides who may use a topic, and in which project the use takes place. */
export interface TopicAccess {
  /**
   * Answers the project in which the caller may do this with the topic: its
   * own, whether or not the topic is there, or that of the topic's owner. A
   * malformed URN is left to who uses it.
   *
   * A topic that does not let the caller in and one that is not there are
   * answered alike, so that nobody learns names by trying. Publishing and
   * subscribing are denied; for all else the caller's own project is answered,
   * in which another's topic is as if absent.
   *
   * @param context what conditions are held against; asked only when needed
   * @throws CarillonError TOPIC_ACCESS_DENIED
   */
  projectFor(
    caller: TopicCaller,
    topicUrn: string,
    action: AccessAction,
    context: () => ConditionContext,
  ): Promise<ProjectId>;
  /**
   * What would be decided, and what each statement says to it; for the owner.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND, and those of
   * `parseAccessPolicy`
   */
  explain(
    projectId: ProjectId,
    trial: AccessTrial,
  ): Promise<
    AccessDecision & { readonly statements: readonly StatementTrace[] }
  >;
}

/** Policies kept compiled at most; one has up to 30 KB of text. */
const maxCompiled = 256;

/**
 * Builds the rules by which topics are opened to other projects. Policies are
 * compiled once and read anew when their text changes.
 */
export function createTopicAccess(ports: {
  readonly store: Pick<TopicReader, "findTopic">;
  readonly topics: Topics;
}): TopicAccess {
  const { store, topics } = ports;
  /** By topic number. */
  const compiled = new Map<number, { text: string; policy: AccessPolicy }>();

  /** `undefined` when the topic has none. */
  function policyOf({ seq, accessPolicy: text }: Topic) {
    if (text === "") return undefined;
    const known = compiled.get(seq);
    if (known?.text === text) return known.policy;
    if (compiled.size >= maxCompiled) compiled.clear();
    // It was parsed when it was set, by the same rules.
    const policy = parseAccessPolicy(text);
    compiled.set(seq, { text, policy });
    return policy;
  }

  return {
    async projectFor(caller, topicUrn, action, context) {
      const urn = parseTopicUrn(topicUrn);
      if (!urn || urn.projectId === caller.projectId) return caller.projectId;
      const topic =
        urn.region === topics.region
          ? await store.findTopic(urn.projectId, urn.topicName)
          : undefined;
      const policy = topic && policyOf(topic);
      const { decision } = decideAccess({
        ownerProjectId: urn.projectId,
        policy,
        request: {
          principal: caller,
          action,
          resource: topicUrn,
          ...(policy && { conditionContext: context() }),
        },
      });
      if (decision === "allow") return urn.projectId;
      if (action !== "SMN:Publish" && action !== "SMN:Subscribe") {
        return caller.projectId;
      }
      throw new CarillonError(
        "TOPIC_ACCESS_DENIED",
        "Access denied: another project's topic can be used only as far as its access policy allows.",
      );
    },
    async explain(projectId, { topicUrn, action, principal, context, policy }) {
      const topic = await topics.get(projectId, topicUrn);
      return explainAccess({
        ownerProjectId: topic.projectId,
        policy:
          policy === undefined ? policyOf(topic) : parseAccessPolicy(policy),
        request: {
          principal,
          action,
          resource: topicUrn,
          ...(context && { conditionContext: context }),
        },
      });
    },
  };
}
