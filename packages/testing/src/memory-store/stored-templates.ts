/** Templates of stored messages of the in-memory store. */

import {
  CarillonError,
  type DisallowedScope,
  type ProjectId,
  type RelatedObject,
  type StoredTemplate,
  type StoredTemplateKey,
  type StoredTemplateStore,
} from "@carillon/core";
import { checkProject } from "./directory.ts";
import type { Tables } from "./tables.ts";

export function createStoredTemplateStore(tables: Tables): StoredTemplateStore {
  const { storedTemplates, disallowedObjects, write } = tables;

  const listOf = (projectId: ProjectId) =>
    storedTemplates.list().filter((it) => it.projectId === projectId);
  const withoutProject = ({
    projectId: _,
    ...template
  }: { readonly projectId: ProjectId } & StoredTemplate): StoredTemplate =>
    template;

  return {
    async findStoredTemplate(projectId, key) {
      const row = storedTemplates.get(keyOf(projectId, key));
      if (!row) return undefined;
      const { attachments = [], ...template } = withoutProject(row);
      return {
        ...template,
        ...(attachments.length > 0 && {
          // Bytes are not frozen: whoever writes into these changes no others.
          attachments: attachments.map(({ content, ...it }) => ({
            ...it,
            content: content.slice(),
          })),
        }),
      };
    },
    async listStoredTemplates(projectId, channel, { limit, after }) {
      return listOf(projectId)
        .filter((it) => channel === undefined || it.channel === channel)
        .sort(compareKeys)
        .filter((it) => after === undefined || compareKeys(it, after) > 0)
        .slice(0, limit)
        .map((row) => {
          const { body: _, attachments: __, ...summary } = withoutProject(row);
          return summary;
        });
    },
    putStoredTemplate: (projectId, template, condition, quota) =>
      write(() => {
        const key = keyOf(projectId, template);
        const changedAt = storedTemplates.get(key)?.changedAt;
        const isMet =
          condition.kind === "absent"
            ? changedAt === undefined
            : changedAt === condition.changedAt;
        if (!isMet) return false;
        if (changedAt === undefined) {
          if (listOf(projectId).length >= quota) {
            throw new CarillonError("TEMPLATE_QUOTA_EXCEEDED");
          }
          checkProject(tables, projectId);
        }
        storedTemplates.put(key, { ...template, projectId });
        return true;
      }),
    deleteStoredTemplate: (projectId, key) =>
      write(() => {
        const { channel, slug } = key;
        disallowedObjects.deleteWhere(
          (it) =>
            it.projectId === projectId &&
            it.channel === channel &&
            it.slug === slug,
        );
        return storedTemplates.delete(keyOf(projectId, key));
      }),
    disallowObjects: (projectId, scope, objects, at) =>
      write(() => {
        const { channel, slug = "" } = scope;
        checkProject(tables, projectId);
        for (const { type, id } of objects) {
          const key = objectKey(projectId, scope, { type, id });
          if (disallowedObjects.has(key)) continue;
          const row = { projectId, channel, slug, type, id, createdAt: at };
          disallowedObjects.put(key, row);
        }
      }),
    allowObjects: (projectId, scope, objects) =>
      write(
        () =>
          objects.filter((object) =>
            disallowedObjects.delete(objectKey(projectId, scope, object)),
          ).length,
      ),
    async listDisallowedObjects(projectId, scope, { limit, after }) {
      const { channel, slug = "" } = scope;
      return disallowedObjects
        .list()
        .filter(
          (it) =>
            it.projectId === projectId &&
            it.channel === channel &&
            it.slug === slug,
        )
        .sort(compareObjects)
        .filter((it) => after === undefined || compareObjects(it, after) > 0)
        .slice(0, limit)
        .map(({ type, id, createdAt }) => ({ type, id, createdAt }));
    },
    async isDisallowed(projectId, { channel, slug }, objects) {
      return objects.some(
        (object) =>
          disallowedObjects.has(objectKey(projectId, { channel }, object)) ||
          disallowedObjects.has(
            objectKey(projectId, { channel, slug }, object),
          ),
      );
    },
  };
}

function keyOf(projectId: ProjectId, { channel, slug }: StoredTemplateKey) {
  return `${projectId}/${channel}/${slug}`;
}

function objectKey(
  projectId: ProjectId,
  { channel, slug = "" }: DisallowedScope,
  { type, id }: RelatedObject,
): string {
  return `${projectId}/${channel}/${slug}/${type}/${id}`;
}

function compareKeys(a: StoredTemplateKey, b: StoredTemplateKey): number {
  return compare(a.channel, b.channel) || compare(a.slug, b.slug);
}

function compareObjects(a: RelatedObject, b: RelatedObject): number {
  return compare(a.type, b.type) || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
