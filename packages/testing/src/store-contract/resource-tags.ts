import assert from "node:assert/strict";
import {
  CarillonError,
  createResourceFilter,
  matchesResource,
  mergeResourceTags,
  type ProjectId,
  type ResourceTag,
} from "@carillon/core";
import fc from "fast-check";
import type { Cases } from "./cases.ts";
import {
  addTopic,
  after,
  everything,
  freshId,
  noQuota,
  otherProjectId,
  projectId,
} from "./fixtures.ts";

const prod = { key: "env", value: "prod" };
const test_ = { key: "env", value: "test" };
const ops = { key: "team", value: "" };

const noFilter = createResourceFilter({});

export function testResourceTags({ test, runs }: Cases): void {
  test("keeps tags in the order in which their keys were added", async (store) => {
    const topic = await addTopic(store);
    const other = await addTopic(store);
    const bare = await addTopic(store);
    await store.putTags(topic.seq, [ops, prod], noQuota);
    await store.putTags(other.seq, [prod], noQuota);
    await store.putTags(topic.seq, [{ key: "a", value: "ä*%\n" }], noQuota);
    await store.putTags(topic.seq, [{ key: "team", value: "ops" }], noQuota);
    const tags = await store.listTags([bare.seq, topic.seq, other.seq, 4711]);
    assert.deepEqual(
      [...tags].sort(([a], [b]) => a - b),
      [
        [
          topic.seq,
          [{ key: "team", value: "ops" }, prod, { key: "a", value: "ä*%\n" }],
        ],
        [other.seq, [prod]],
      ],
    );
    assert.equal((await store.listTags([])).size, 0);
  });

  test("refuses tags beyond the quota, all of them", async (store) => {
    const { seq } = await addTopic(store);
    await store.putTags(seq, [prod], 2);
    const two = [ops, { key: "b", value: "" }];
    await assert.rejects(
      store.putTags(seq, two, 2),
      isRefusal("RESOURCE_TAG_QUOTA_EXCEEDED"),
    );
    // A lower quota leaves what is there, also to be changed.
    await store.putTags(seq, [ops], 2);
    await store.putTags(seq, [test_], 1);
    assert.deepEqual((await store.listTags([seq])).get(seq), [test_, ops]);
  });

  test("refuses tags of a topic that is gone", async (store) => {
    const { seq, name } = await addTopic(store);
    await store.putTags(seq, [prod], noQuota);
    await store.deleteTopic(projectId, name, after(1));
    const refused = isRefusal("TOPIC_NOT_FOUND");
    await assert.rejects(store.putTags(seq, [ops], noQuota), refused);
    await assert.rejects(store.putTags(seq + 1, [ops], noQuota), refused);
    assert.equal((await store.listTags([seq])).size, 0);
    assert.equal(await store.deleteTags(seq, ["env"]), 0);
    assert.deepEqual(await store.listProjectTags(projectId), []);
    const { total } = await store.findTaggedTopics(
      projectId,
      noFilter,
      everything,
    );
    assert.equal(total, 0);
  });

  test("deletes tags by key and tells how many there were", async (store) => {
    const { seq } = await addTopic(store);
    const { seq: other } = await addTopic(store);
    await store.putTags(seq, [prod, ops], noQuota);
    await store.putTags(other, [prod], noQuota);
    assert.equal(await store.deleteTags(seq, ["env", "none"]), 1);
    assert.equal(await store.deleteTags(seq, ["env"]), 0);
    const tags = await store.listTags([seq, other]);
    assert.deepEqual(tags.get(seq), [ops]);
    assert.deepEqual(tags.get(other), [prod]);
  });

  test("lists each tag of a project once", async (store) => {
    const foreign = await addTopic(store, { projectId: otherProjectId });
    await store.putTags(foreign.seq, [{ key: "x", value: "y" }], noQuota);
    for (const tags of [[prod, ops], [prod], [test_]]) {
      const { seq } = await addTopic(store);
      await store.putTags(seq, tags, noQuota);
    }
    const found = await store.listProjectTags(projectId);
    assert.equal(found.length, 3);
    assert.deepEqual(toSet(found), toSet([prod, test_, ops]));
  });

  test("finds a project's topics by their tags, newest first", async (store) => {
    const first = await addTopic(store);
    const second = await addTopic(store);
    const foreign = await addTopic(store, { projectId: otherProjectId });
    const third = await addTopic(store);
    for (const { seq } of [first, third, foreign]) {
      await store.putTags(seq, [prod], noQuota);
    }
    const withProd = createResourceFilter({
      tags: [{ key: "env", values: ["prod"] }],
    });
    const find = (filter: typeof noFilter, offset: number, limit: number) =>
      store.findTaggedTopics(projectId, filter, { offset, limit });
    assert.deepEqual(await find(withProd, 0, 10), {
      total: 2,
      items: [
        { topic: third, tags: [prod] },
        { topic: first, tags: [prod] },
      ],
    });
    assert.deepEqual(await find(noFilter, 1, 1), {
      total: 3,
      items: [{ topic: second, tags: [] }],
    });
    assert.deepEqual(await find(withProd, 2, 10), { total: 2, items: [] });
    assert.deepEqual(await find(withProd, 0, 0), { total: 2, items: [] });
    const named = createResourceFilter({
      name: first.name,
    });
    assert.equal((await find(named, 0, 10)).items[0]?.topic.id, first.id);
  });

  test("merges and deletes tags as core does, and finds what core finds", async (store) => {
    await fc.assert(
      fc.asyncProperty(steps, quotas, filters, async (todo, quota, members) => {
        const mine = freshId<ProjectId>();
        const topics = [
          await addTopic(store, { projectId: mine }),
          await addTopic(store, { projectId: mine }),
        ];
        const model = new Map<number, readonly ResourceTag[]>();
        for (const { which, put, remove } of todo) {
          const seq = topics[which]?.seq ?? 0;
          const before = model.get(seq) ?? [];
          const expected = merge(before, put, quota);
          const actual = store.putTags(seq, put, quota);
          if (expected) await actual;
          else await assert.rejects(actual, CarillonError);
          const merged = expected ?? before;
          const after = merged.filter(({ key }) => !remove.includes(key));
          model.set(seq, after);
          assert.equal(
            await store.deleteTags(seq, remove),
            merged.length - after.length,
          );
        }
        const filter = createResourceFilter(members);
        const { items, total } = await store.findTaggedTopics(
          mine,
          filter,
          everything,
        );
        const expected = topics
          .map((topic) => ({ topic, tags: model.get(topic.seq) ?? [] }))
          .filter(({ topic: { name }, tags }) =>
            matchesResource(filter, { name, tags }),
          )
          .reverse();
        assert.deepEqual(items, expected);
        assert.equal(total, expected.length);
      }),
      { numRuns: runs },
    );
  });
}

function merge(
  present: readonly ResourceTag[],
  added: readonly ResourceTag[],
  quota: number,
): readonly ResourceTag[] | undefined {
  try {
    return mergeResourceTags(present, added, quota);
  } catch {
    // Refused: nothing changes.
    return undefined;
  }
}

function toSet(tags: readonly ResourceTag[]): Set<string> {
  return new Set(tags.map(({ key, value }) => JSON.stringify([key, value])));
}

function isRefusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CarillonError && error.code === code;
}

const keys: fc.Arbitrary<string> = fc.constantFrom(
  "a",
  "b",
  "c",
  "constructor",
);
const values = fc.constantFrom("", "x", "xy", "*");

const steps = fc.array(
  fc.record({
    which: fc.nat(1),
    put: fc.uniqueArray(fc.record({ key: keys, value: values }), {
      selector: ({ key }) => key,
      minLength: 1,
    }),
    remove: fc.uniqueArray(keys, { maxLength: 2 }),
  }),
  { maxLength: 8 },
);

const quotas = fc.integer({ min: 1, max: 4 });

const patterns = fc.uniqueArray(
  fc.record({
    key: keys,
    values: fc.uniqueArray(fc.oneof(values, fc.constant("*x")), {
      maxLength: 2,
    }),
  }),
  { selector: ({ key }) => key, maxLength: 2 },
);

const filters = fc.record(
  {
    tags: patterns,
    tagsAny: patterns,
    notTags: patterns,
    notTagsAny: patterns,
    withoutAnyTag: fc.boolean(),
  },
  { requiredKeys: [] },
);
