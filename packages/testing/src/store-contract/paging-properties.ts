import assert from "node:assert/strict";
import type {
  MessageTemplateId,
  Page,
  PageRequest,
  ProjectId,
  Store,
  SubscriptionId,
} from "@carillon/core";
import fc from "fast-check";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTemplate,
  addTopic,
  everything,
  freshId,
  start,
} from "./fixtures.ts";

type List<Item> = (page: PageRequest) => Promise<Page<Item>>;

export function testPagingProperties({ test, runs }: Cases): void {
  test("cuts pages of topics out of the whole list", async (store) => {
    await fc.assert(
      fc.asyncProperty(changes, pages, async (steps, requests) => {
        const projectId = freshId<ProjectId>();
        const names: string[] = [];
        for (const { kind, which } of steps) {
          const chosen = names[which % names.length];
          if (kind === "add") {
            names.push((await addTopic(store, { projectId })).name);
          } else if (chosen) {
            await store.deleteTopic(projectId, chosen, start);
          }
        }
        await checkPages(
          (page) => store.listTopics(projectId, {}, page),
          requests,
        );
      }),
      { numRuns: runs },
    );
  });

  test("cuts pages of templates out of the whole list", async (store) => {
    await fc.assert(
      fc.asyncProperty(changes, pages, async (steps, requests) => {
        const projectId = freshId<ProjectId>();
        const ids: MessageTemplateId[] = [];
        for (const { kind, which } of steps) {
          const chosen = ids[which % ids.length];
          if (kind === "add") {
            ids.push((await addTemplate(store, { projectId })).id);
          } else if (chosen) {
            await store.deleteTemplate(projectId, chosen, start);
          }
        }
        await checkPages(
          (page) => store.listTemplates(projectId, {}, page),
          requests,
        );
      }),
      { numRuns: runs },
    );
  });

  test("cuts pages of subscriptions out of the whole list", async (store) => {
    await fc.assert(
      fc.asyncProperty(changes, pages, async (steps, requests) => {
        const projectId = freshId<ProjectId>();
        const list = await changeSubscriptions(store, projectId, steps);
        for (const pageOf of list) await checkPages(pageOf, requests);
      }),
      { numRuns: runs },
    );
  });
}

/** Adds and deletes subscriptions of two topics; answers all ways to list them. */
async function changeSubscriptions(
  store: Store,
  projectId: ProjectId,
  steps: readonly Change[],
) {
  const topics = [
    await addTopic(store, { projectId }),
    await addTopic(store, { projectId }),
  ];
  const added: { topicName: string; id: SubscriptionId }[] = [];
  for (const { kind, which } of steps) {
    const topic = topics[which % topics.length];
    const chosen = added[which % added.length];
    if (kind === "add" && topic) {
      const { id } = await addSubscription(store, topic);
      added.push({ topicName: topic.name, id });
    } else if (chosen) {
      const { topicName, id } = chosen;
      await store.deleteSubscription(projectId, topicName, id, start);
    }
  }
  const filters = [{}, ...topics.map(({ seq }) => ({ topicSeq: seq }))];
  return filters.map(
    (filter) => (page: PageRequest) =>
      store.listSubscriptions(projectId, filter, page),
  );
}

/** Each page is a slice of the list; walking by marker visits all of it. */
async function checkPages<Item extends { readonly id: string }>(
  list: List<Item>,
  requests: readonly { readonly offset: number; readonly limit: number }[],
): Promise<void> {
  const { items: all, total } = await list(everything);
  assert.equal(total, all.length);
  for (const { offset, limit } of requests) {
    const page = await list({ offset, limit });
    assert.deepEqual(page.items, all.slice(offset, offset + limit));
    assert.equal(page.total, total);

    const walked: Item[] = [];
    let next = (await list({ offset: 0, limit })).items;
    while (next.length > 0) {
      walked.push(...next);
      const marker = walked.at(-1)?.id ?? "";
      next = (await list({ offset, limit, marker })).items;
    }
    assert.deepEqual(walked, all);
  }
}

interface Change {
  readonly kind: "add" | "delete";
  readonly which: number;
}

const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("add", "add", "delete"),
    which: fc.nat(1000),
  }),
  { maxLength: 25 },
);

const pages = fc.array(
  fc.record({ offset: fc.nat(12), limit: fc.integer({ min: 1, max: 9 }) }),
  { minLength: 1, maxLength: 3 },
);
