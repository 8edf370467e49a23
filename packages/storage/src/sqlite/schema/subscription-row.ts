/** A subscription as it stands in its table, with the name of its topic. */

/** Columns of {@link SubscriptionRow}, from subscriptions JOIN topics. */
export const subscriptionColumns = `subscriptions.seq, subscriptions.id,
  subscriptions.topic_seq, topics.name, subscriptions.project_id,
  subscriptions.protocol, subscriptions.endpoint, subscriptions.remark,
  subscriptions.status, subscriptions.extension,
  subscriptions.filter_policies, subscriptions.created_at`;

export const subscriptionTables = `subscriptions
  JOIN topics ON topics.seq = subscriptions.topic_seq`;

export type SubscriptionRow = readonly [
  seq: number,
  id: string,
  topicSeq: number,
  topicName: string,
  projectId: string,
  protocol: number,
  endpoint: string,
  remark: string,
  status: number,
  extension: string | null,
  filterPolicies: string | null,
  createdAt: number,
];
