/**
 * A store that keeps everything in memory: for tests, and the plainest reading
 * of what the ports promise. Not for service: nothing outlives the process.
 */

import {
  CarillonError,
  type Clock,
  type Store,
  type SubscriberNotice,
  systemClock,
  toEpochMs,
} from "@carillon/core";
import { MemoryBindings } from "./memory-bindings.ts";
import { MemoryDirectory } from "./memory-directory.ts";
import { MemoryIdentity } from "./memory-identity.ts";
import { MemoryInbound } from "./memory-inbound.ts";
import { MemoryLedger } from "./memory-ledger.ts";
import { MemoryOptOuts } from "./memory-opt-outs.ts";
import { MemoryResourceTags } from "./memory-resource-tags.ts";
import { MemorySubscriptionUsers } from "./memory-subscription-users.ts";
import { MemoryTemplates } from "./memory-templates.ts";

/** A method of the store, as a function that needs no `this`. */
type Method<Name extends keyof Store> = Store[Name];

export interface MemoryStoreOptions {
  /** Leases run on its monotonic time. Default: the machine's clock. */
  readonly clock?: Clock;
}

export class MemoryStore implements Store {
  readonly exclusive = true;
  readonly #directory = new MemoryDirectory();
  readonly #ledger: MemoryLedger;
  readonly #bindings = new MemoryBindings();
  readonly #subscriptionUsers = new MemorySubscriptionUsers();
  readonly #identity = new MemoryIdentity();
  readonly #inbound = new MemoryInbound();
  readonly #optOuts = new MemoryOptOuts();
  readonly #tags = new MemoryResourceTags(this.#directory);
  readonly #templates = new MemoryTemplates();

  constructor({ clock = systemClock }: MemoryStoreOptions = {}) {
    this.#ledger = new MemoryLedger(this.#directory, clock);
  }

  readonly findTopic: Method<"findTopic"> = async (...args) =>
    this.#directory.findTopic(...args);

  readonly listTopics: Method<"listTopics"> = async (...args) =>
    this.#directory.listTopics(...args);

  readonly createTopic: Method<"createTopic"> = async (...args) =>
    this.#directory.createTopic(...args);

  readonly updateTopic: Method<"updateTopic"> = async (...args) =>
    this.#directory.updateTopic(...args);

  readonly deleteTopic: Method<"deleteTopic"> = async (projectId, name, at) => {
    const topic = this.#directory.deleteTopic(projectId, name);
    if (!topic) return false;
    this.#ledger.cancelTopic(topic.seq, toEpochMs(at));
    this.#bindings.removeTopic(topic.seq);
    this.#tags.deleteTopic(topic.seq);
    return true;
  };

  readonly listTags: Method<"listTags"> = async (...args) =>
    this.#tags.listTags(...args);

  readonly listProjectTags: Method<"listProjectTags"> = async (...args) =>
    this.#tags.listProjectTags(...args);

  readonly findTaggedTopics: Method<"findTaggedTopics"> = async (...args) =>
    this.#tags.findTaggedTopics(...args);

  readonly putTags: Method<"putTags"> = async (...args) =>
    this.#tags.putTags(...args);

  readonly deleteTags: Method<"deleteTags"> = async (...args) =>
    this.#tags.deleteTags(...args);

  readonly findTemplate: Method<"findTemplate"> = async (...args) =>
    this.#templates.findTemplate(...args);

  readonly findTemplateVariants: Method<"findTemplateVariants"> = async (
    ...args
  ) => this.#templates.findTemplateVariants(...args);

  readonly listTemplates: Method<"listTemplates"> = async (...args) =>
    this.#templates.listTemplates(...args);

  readonly createTemplate: Method<"createTemplate"> = async (...args) =>
    this.#templates.createTemplate(...args);

  readonly updateTemplate: Method<"updateTemplate"> = async (...args) =>
    this.#templates.updateTemplate(...args);

  readonly deleteTemplate: Method<"deleteTemplate"> = async (projectId, id) =>
    this.#templates.deleteTemplate(projectId, id);

  readonly findSubscription: Method<"findSubscription"> = async (...args) =>
    this.#directory.findSubscription(...args);

  readonly findSubscriptionById: Method<"findSubscriptionById"> = async (
    ...args
  ) => this.#directory.findSubscriptionById(...args);

  readonly listSubscriptions: Method<"listSubscriptions"> = async (...args) =>
    this.#directory.listSubscriptions(...args);

  readonly addSubscription: Method<"addSubscription"> = async (
    subscription,
    confirmation,
    quota,
  ) => {
    const { mailTo, ...answer } = this.#directory.addSubscription(
      subscription,
      confirmation,
      quota,
    );
    if (mailTo !== undefined && confirmation) this.#mail(confirmation, mailTo);
    return answer;
  };

  readonly confirmSubscription: Method<"confirmSubscription"> = async (
    ...args
  ) => this.#directory.confirmSubscription(...args);

  readonly cancelSubscription: Method<"cancelSubscription"> = async (
    ...args
  ) => {
    const cancelled = this.#directory.cancelSubscription(...args);
    if (cancelled?.mail) {
      this.#mail(cancelled.mail, cancelled.subscription.seq);
    }
    return cancelled?.subscription;
  };

  readonly updateSubscription: Method<"updateSubscription"> = async (...args) =>
    this.#directory.updateSubscription(...args);

  readonly deleteSubscription: Method<"deleteSubscription"> = async (
    projectId,
    topicName,
    id,
  ) => this.#directory.deleteSubscription(projectId, topicName, id);

  readonly addSubscriptionUser: Method<"addSubscriptionUser"> = (...args) =>
    this.#subscriptionUsers.addSubscriptionUser(...args);

  readonly listSubscriptionUsers: Method<"listSubscriptionUsers"> = (...args) =>
    this.#subscriptionUsers.listSubscriptionUsers(...args);

  readonly findSubscriptionUser: Method<"findSubscriptionUser"> = (...args) =>
    this.#subscriptionUsers.findSubscriptionUser(...args);

  readonly deleteSubscriptionUser: Method<"deleteSubscriptionUser"> = (
    ...args
  ) => this.#subscriptionUsers.deleteSubscriptionUser(...args);

  readonly addBinding: Method<"addBinding"> = async (
    topicSeq,
    kind,
    binding,
  ) => {
    const topic = this.#directory.findTopicBySeq(topicSeq);
    if (!topic) throw new CarillonError("TOPIC_NOT_FOUND");
    return this.#bindings.addBinding(topic, kind, binding);
  };

  readonly findBinding: Method<"findBinding"> = async (...args) =>
    this.#bindings.findBinding(...args);

  readonly updateBinding: Method<"updateBinding"> = async (...args) =>
    this.#bindings.updateBinding(...args);

  readonly removeBinding: Method<"removeBinding"> = async (...args) =>
    this.#bindings.removeBinding(...args);

  readonly readStatistics: Method<"readStatistics"> = async (...args) =>
    this.#ledger.readStatistics(...args);

  readonly findMessage: Method<"findMessage"> = async (...args) =>
    this.#ledger.findMessage(...args);

  readonly listMessages: Method<"listMessages"> = async (...args) =>
    this.#ledger.listMessages(...args);

  readonly listDeliveries: Method<"listDeliveries"> = async (...args) =>
    this.#ledger.listDeliveries(...args);

  readonly findDelivery: Method<"findDelivery"> = async (...args) =>
    this.#ledger.findDelivery(...args);

  readonly acceptMessage: Method<"acceptMessage"> = async (...args) =>
    this.#ledger.acceptMessage(...args);

  readonly acceptDirectMessage: Method<"acceptDirectMessage"> = async (
    ...args
  ) => this.#ledger.acceptDirectMessage(...args);

  readonly claimChunks: Method<"claimChunks"> = async (...args) =>
    this.#ledger.claimChunks(...args);

  readonly readAudience: Method<"readAudience"> = async (...args) =>
    this.#ledger.readAudience(...args);

  readonly splitChunk: Method<"splitChunk"> = async (...args) =>
    this.#ledger.splitChunk(...args);

  readonly completeChunk: Method<"completeChunk"> = async (...args) =>
    this.#ledger.completeChunk(...args);

  readonly releaseChunk: Method<"releaseChunk"> = async (...args) =>
    this.#ledger.releaseChunk(...args);

  readonly renewLeases: Method<"renewLeases"> = async (...args) =>
    this.#ledger.renewLeases(...args);

  readonly reclaimLapsed: Method<"reclaimLapsed"> = async (...args) =>
    this.#ledger.reclaimLapsed(...args);

  readonly reclaimAll: Method<"reclaimAll"> = async (...args) =>
    this.#ledger.reclaimAll(...args);

  readonly peekWork: Method<"peekWork"> = async () => this.#ledger.peekWork();

  readonly claimDue: Method<"claimDue"> = async (...args) =>
    this.#ledger.claimDue(...args);

  readonly recordOutcomes: Method<"recordOutcomes"> = async (...args) =>
    this.#ledger.recordOutcomes(...args);

  readonly recordReceipt: Method<"recordReceipt"> = async (...args) =>
    this.#ledger.recordReceipt(...args);

  readonly findMessageBySeq: Method<"findMessageBySeq"> = async (...args) =>
    this.#ledger.findMessageBySeq(...args);

  readonly acceptInbound: Method<"acceptInbound"> = async (
    inbound,
    notification,
  ) => {
    const kept = this.#inbound.acceptInbound(inbound);
    if (notification && !kept.isRepeated) {
      this.#ledger.acceptMessage(notification, undefined);
    }
    return kept;
  };

  readonly findInbound: Method<"findInbound"> = async (...args) =>
    this.#inbound.findInbound(...args);

  readonly listInbound: Method<"listInbound"> = async (...args) =>
    this.#inbound.listInbound(...args);

  readonly findOptOuts: Method<"findOptOuts"> = async (...args) =>
    this.#optOuts.findOptOuts(...args);

  readonly putOptOut: Method<"putOptOut"> = async (...args) =>
    this.#optOuts.putOptOut(...args);

  readonly removeOptOut: Method<"removeOptOut"> = async (...args) =>
    this.#optOuts.removeOptOut(...args);

  readonly listOptOuts: Method<"listOptOuts"> = async (...args) =>
    this.#optOuts.listOptOuts(...args);

  readonly putDomain: Method<"putDomain"> = (...args) =>
    this.#identity.putDomain(...args);

  readonly putProject: Method<"putProject"> = (...args) =>
    this.#identity.putProject(...args);

  readonly putUser: Method<"putUser"> = (...args) =>
    this.#identity.putUser(...args);

  readonly putAccessKey: Method<"putAccessKey"> = (...args) =>
    this.#identity.putAccessKey(...args);

  readonly deleteDomain: Method<"deleteDomain"> = (...args) =>
    this.#identity.deleteDomain(...args);

  readonly deleteProject: Method<"deleteProject"> = (...args) =>
    this.#identity.deleteProject(...args);

  readonly deleteUser: Method<"deleteUser"> = (...args) =>
    this.#identity.deleteUser(...args);

  readonly deleteAccessKey: Method<"deleteAccessKey"> = (...args) =>
    this.#identity.deleteAccessKey(...args);

  readonly findDomain: Method<"findDomain"> = (...args) =>
    this.#identity.findDomain(...args);

  readonly findProject: Method<"findProject"> = (...args) =>
    this.#identity.findProject(...args);

  readonly listProjects: Method<"listProjects"> = () =>
    this.#identity.listProjects();

  readonly findUser: Method<"findUser"> = (...args) =>
    this.#identity.findUser(...args);

  readonly findUserByName: Method<"findUserByName"> = (...args) =>
    this.#identity.findUserByName(...args);

  readonly listUsers: Method<"listUsers"> = () => this.#identity.listUsers();

  readonly listAccessKeys: Method<"listAccessKeys"> = () =>
    this.#identity.listAccessKeys();

  readonly listDomains: Method<"listDomains"> = () =>
    this.#identity.listDomains();

  readonly findAccessKey: Method<"findAccessKey"> = (...args) =>
    this.#identity.findAccessKey(...args);

  readonly putToken: Method<"putToken"> = (...args) =>
    this.#identity.putToken(...args);

  readonly findToken: Method<"findToken"> = (...args) =>
    this.#identity.findToken(...args);

  readonly deleteToken: Method<"deleteToken"> = (...args) =>
    this.#identity.deleteToken(...args);

  readonly deleteTokens: Method<"deleteTokens"> = (...args) =>
    this.#identity.deleteTokens(...args);

  readonly deleteExpiredTokens: Method<"deleteExpiredTokens"> = (...args) =>
    this.#identity.deleteExpiredTokens(...args);

  readonly getSetting: Method<"getSetting"> = (...args) =>
    this.#identity.getSetting(...args);

  readonly putSetting: Method<"putSetting"> = (...args) =>
    this.#identity.putSetting(...args);

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #mail({ message, billable = false }: SubscriberNotice, target: number): void {
    this.#ledger.acceptNotice(message, target, billable);
  }
}
