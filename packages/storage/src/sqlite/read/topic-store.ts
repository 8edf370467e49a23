/** Topics in SQLite: reads, and the way to the writer. */

import {
  CarillonError,
  type Page,
  type PageRequest,
  type ProjectId,
  type StoreChange,
  type Topic,
  type TopicFilter,
  type TopicId,
  type TopicStore,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { newTopics, type TopicRow, topics } from "../schema/topic-table.ts";
import { Conditions } from "./conditions.ts";
import { ReadCache } from "./read-cache.ts";

export function createTopicStore({ reader, writer }: Connections): TopicStore {
  /**
   * A topic by its name; asked on every publish.
   * Parameters: project, name. Index: topics_name.
   */
  const byName = reader.prepare<TopicRow>(
    `SELECT ${topics.columns()} FROM topics INDEXED BY topics_name
     WHERE project_id = ? AND name = ? AND deleted_at IS NULL`,
  );
  /** Parameters: project, name. Indexes: topics_name, topics_deleted. */
  const latestId = reader.prepare<[id: string, seq: number]>(
    `SELECT id, seq FROM topics INDEXED BY topics_name
     WHERE project_id = ?1 AND name = ?2 AND deleted_at IS NULL
     UNION ALL
     SELECT id, max(seq) FROM topics INDEXED BY topics_deleted
     WHERE project_id = ?1 AND name = ?2 AND deleted_at IS NOT NULL
     GROUP BY project_id
     ORDER BY 2 DESC LIMIT 1`,
  );
  /** Parameters: project. Index: the primary key. */
  const countOfProject = reader.prepare<[topics: number]>(
    "SELECT topics FROM project_counts WHERE project_id = ?",
  );

  const staleBy = ({ kind }: StoreChange) =>
    kind === "topic" ? "all" : undefined;
  const topicsByName = new ReadCache<string, Topic>(writer, { staleBy });
  /** Few: a page may hold a hundred access policies of 30 KB. */
  const pages = new ReadCache<string, Page<Topic>>(writer, {
    staleBy,
    maxEntries: 20,
  });

  function readPage(
    projectId: ProjectId,
    filter: TopicFilter,
    { offset, limit, marker }: PageRequest,
  ): Page<Topic> {
    const where = new Conditions()
      .add("project_id = ?", projectId)
      .add("deleted_at IS NULL")
      .addIfSet("id = ?", filter.id)
      .addIfSet("name = ?", filter.name)
      .addIfSet("instr(name, ?) > 0", filter.fuzzyName)
      .addIfSet("instr(display_name, ?) > 0", filter.fuzzyDisplayName)
      .addIfSet("enterprise_project_id = ?", filter.enterpriseProjectId);
    const isWhole = where.size === 2;
    const [total] = (isWhole
      ? countOfProject.get(projectId)
      : reader
          .prepared<[number]>(`SELECT count(*) FROM topics ${where.sql}`)
          .get(...where.values)) ?? [0];
    // An unknown marker is NULL, behind which nothing comes.
    where.addIfSet(
      "seq < (SELECT seq FROM topics WHERE id = ? AND project_id = ?)",
      marker,
      projectId,
    );
    const rows = reader
      .prepared<TopicRow>(
        `SELECT ${topics.columns()} FROM topics WHERE seq IN
           (SELECT seq FROM topics ${where.sql}
            ORDER BY seq DESC LIMIT ? OFFSET ?)
         ORDER BY seq DESC`,
      )
      .all(...where.values, limit, marker === undefined ? offset : 0);
    return { total, items: rows.map((row) => topics.fromRow(row)) };
  }

  return {
    async findTopic(projectId, name) {
      const key = `${projectId}:${name}`;
      const cached = topicsByName.find(key);
      if (cached) return cached;
      const row = byName.get(projectId, name);
      if (!row) return undefined;
      const topic = topics.fromRow(row);
      topicsByName.set(key, topic);
      return topic;
    },
    async findLatestTopicId(projectId, name) {
      const [id] = latestId.get(projectId, name) ?? [];
      // Written as one.
      return id as TopicId | undefined;
    },
    async listTopics(projectId, filter, page) {
      const key = JSON.stringify([projectId, filter, page]);
      const cached = pages.find(key);
      if (cached) return cached;
      const found = readPage(projectId, filter, page);
      pages.set(key, found);
      return found;
    },
    async createTopic(topic, quota) {
      const result = await writer.run(
        "createTopic",
        topic.projectId,
        topic.name,
        newTopics.toRow(topic),
        quota,
      );
      if (typeof result === "number") {
        return { topic: { seq: result, ...topic }, created: true };
      }
      if (result === "TOPIC_QUOTA_EXCEEDED") {
        throw new CarillonError(
          result,
          `The project has ${quota} topics, as many as it may: delete one first.`,
        );
      }
      if (result === "PROJECT_DELETED") throw new CarillonError(result);
      return { topic: topics.fromRow(result), created: false };
    },
    updateTopic: (projectId, name, change) =>
      writer.run("updateTopic", projectId, name, change),
    deleteTopic: (projectId, name, at) =>
      writer.run("deleteTopic", projectId, name, at),
  };
}
