/** A topic as it stands in its table. */

/** Columns of {@link TopicRow}. */
export const topicColumns = `topics.seq, topics.id, topics.project_id,
  topics.name, topics.display_name, topics.enterprise_project_id,
  topics.push_policy, topics.introduction, topics.created_at,
  topics.updated_at, topics.access_policy`;

export type TopicRow = readonly [
  seq: number,
  id: string,
  projectId: string,
  name: string,
  displayName: string,
  enterpriseProjectId: string,
  pushPolicy: number,
  introduction: string,
  createdAt: number,
  updatedAt: number,
  accessPolicy: string,
];
