import assert from "node:assert/strict";
import type {
  Category,
  NewPullPublisher,
  PublisherId,
  Store,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  after,
  freshId,
  otherProjectId,
  projectId,
  start,
} from "./fixtures.ts";

export function testPublishers({ test }: Cases): void {
  test("keeps one publisher of a name in each project", async (store) => {
    const own = newPublisher({ name: "shop" });
    const added = await store.addPublisher(own);
    assert.ok(added);
    assert.deepEqual(added, { ...own, seq: added.seq });
    const again = newPublisher({ name: "shop" });
    assert.equal(await store.addPublisher(again), undefined);
    const others = newPublisher({ name: "shop", projectId: otherProjectId });
    const other = await store.addPublisher(others);
    assert.deepEqual(await store.findPublisher(projectId, "shop"), added);
    assert.deepEqual(await store.findPublisher(otherProjectId, "shop"), other);
    assert.deepEqual(await store.findPublisherById(own.id), added);
    assert.deepEqual(await store.findPublisherById(others.id), other);
    assert.equal(await store.findPublisherById(again.id), undefined);
    assert.equal(await store.findPublisher(projectId, "Shop"), undefined);
  });

  test("lists a project's publishers, oldest first, page by page", async (store) => {
    const added = [];
    for (const name of ["c", "a", "b"]) added.push(await add(store, { name }));
    await add(store, { projectId: otherProjectId });
    const [first, second, third] = added;
    assert.ok(first && second && third);
    const list = (limit: number, behind?: number) =>
      store.listPublishers(projectId, {
        limit,
        ...(behind !== undefined && { after: behind }),
      });
    assert.deepEqual(await list(9), added);
    assert.deepEqual(await list(2), [first, second]);
    assert.deepEqual(await list(2, second.seq), [third]);
    await store.deletePublisher(projectId, third.name);
    assert.deepEqual(await list(2, second.seq), []);
    const next = await add(store, { name: "d" });
    assert.deepEqual(await list(2, third.seq), [next]);
  });

  test("changes what is named of a publisher", async (store) => {
    const known = await add(store, { name: "shop" });
    const change = (changes: Parameters<Store["updatePublisher"]>[2]) =>
      store.updatePublisher(projectId, "shop", changes);
    const off = { ...known, disabled: true };
    assert.deepEqual(await change({ disabled: true }), off);
    assert.deepEqual(await change({ secretHash: "new" }), {
      ...off,
      secretHash: "new",
    });
    const on = await change({ disabled: false });
    assert.deepEqual(on, { ...known, secretHash: "new" });
    assert.deepEqual(await store.findPublisherById(known.id), on);
    assert.equal(
      await store.updatePublisher(otherProjectId, "shop", { disabled: true }),
      undefined,
    );
  });

  test("keeps a category's reference character by character", async (store) => {
    const { id } = await add(store);
    const references = [
      "Müller & Söhne",
      "müller & söhne",
      " *",
      "a",
      "A",
      "1",
    ];
    for (const reference of references) {
      const category = categoryOf(id, { reference });
      assert.deepEqual(await store.addCategory(category, 9), {
        category,
        created: true,
      });
    }
    const listed = await store.listCategories(id);
    assert.deepEqual(
      listed.map(({ reference }) => reference),
      references,
    );
    const found = await store.findCategories(id, ["A", "b", " *"]);
    assert.deepEqual(found.map(({ reference }) => reference).sort(), [
      " *",
      "A",
    ]);
  });

  test("answers the category that a publisher has already", async (store) => {
    const { id } = await add(store);
    const other = await add(store);
    const category = categoryOf(id, { reference: "news", topicName: "a" });
    await store.addCategory(category, 1);
    const again = { ...category, topicName: "b", createdAt: after(5) };
    assert.deepEqual(await store.addCategory(again, 1), {
      category,
      created: false,
    });
    const others = categoryOf(other.id, { reference: "news" });
    assert.equal((await store.addCategory(others, 1)).created, true);
    assert.deepEqual(await store.listCategories(other.id), [others]);
  });

  test("takes as many categories as a publisher may have", async (store) => {
    const { id } = await add(store);
    const put = (reference: string) =>
      store.addCategory(categoryOf(id, { reference }), 2);
    await put("a");
    await put("b");
    await assert.rejects(put("c"), { code: "CATEGORY_QUOTA_EXCEEDED" });
    assert.equal((await put("a")).created, false);
    assert.equal(await store.deleteCategory(id, "a"), true);
    assert.equal(await store.deleteCategory(id, "a"), false);
    assert.equal((await put("c")).created, true);
  });

  test("deletes a publisher with its categories", async (store) => {
    const { id, name } = await add(store);
    const other = await add(store);
    for (const publisherId of [id, other.id]) {
      await store.addCategory(categoryOf(publisherId, { topicName: "t" }), 9);
    }
    assert.equal(await store.deletePublisher(otherProjectId, name), false);
    assert.equal(await store.deletePublisher(projectId, name), true);
    assert.equal(await store.deletePublisher(projectId, name), false);
    assert.equal(await store.findPublisherById(id), undefined);
    assert.deepEqual(await store.listCategories(id), []);
    assert.equal((await store.listCategories(other.id)).length, 1);
    const uses = await store.listTopicUses(projectId, ["t"]);
    assert.deepEqual(
      uses.map(({ publisher }) => publisher),
      [other.name],
    );
    await assert.rejects(store.addCategory(categoryOf(id), 9), {
      code: "PUBLISHER_NOT_FOUND",
    });
  });

  test("says what topics are to publishers", async (store) => {
    const a = await add(store, { name: "a", topicName: "own-a" });
    const b = await add(store, { name: "b", topicName: "shared" });
    await add(store, { topicName: "shared", projectId: otherProjectId });
    for (const [publisher, reference, topicName] of [
      [a, "News", "shared"],
      [a, "Ads", "ads"],
      [b, "More ads", "ads"],
    ] as const) {
      const category = categoryOf(publisher.id, { reference, topicName });
      await store.addCategory(category, 9);
    }
    const topics = ["ads", "shared", "own-a", "none"];
    const uses = await store.listTopicUses(projectId, topics);
    assert.deepEqual(
      uses.map((it) => [it.topicName, it.publisher, it.reference]),
      [
        ["ads", "a", "Ads"],
        ["ads", "b", "More ads"],
        ["shared", "b", "*"],
        ["shared", "a", "News"],
        ["own-a", "a", "*"],
      ],
    );
    const names = await store.findCategoryNames(projectId, topics);
    assert.deepEqual([...names].sort(), [
      ["ads", "Ads"],
      ["own-a", "*"],
      ["shared", "*"],
    ]);
    assert.deepEqual(await store.listTopicUses(otherProjectId, ["ads"]), []);
    assert.equal((await store.findCategoryNames(projectId, [])).size, 0);
  });

  test("deletes a project's publishers with it, and makes none in it", async (store) => {
    const project = { id: projectId, name: "shop", domainId: "d1" };
    await store.putProject(project);
    const { id } = await add(store, { topicName: "t" });
    const other = await add(store, { projectId: otherProjectId });
    await store.addCategory(categoryOf(id, { topicName: "t" }), 9);
    assert.equal(await store.deleteProject(projectId, start), true);
    assert.equal(await store.findPublisherById(id), undefined);
    assert.deepEqual(await store.listCategories(id), []);
    assert.deepEqual(await store.listTopicUses(projectId, ["t"]), []);
    assert.ok(await store.findPublisherById(other.id));
    await assert.rejects(store.addPublisher(newPublisher()), {
      code: "PROJECT_DELETED",
    });
    await store.putProject(project);
    assert.ok(await store.addPublisher(newPublisher()));
  });
}

function newPublisher(
  publisher: Partial<NewPullPublisher> = {},
): NewPullPublisher {
  const id = freshId<PublisherId>();
  return {
    id,
    projectId,
    name: `publisher-${id.slice(-8)}`,
    secretHash: "hash",
    topicName: `topic-${id.slice(-8)}`,
    createdAt: start,
    ...publisher,
  };
}

async function add(store: Store, publisher: Partial<NewPullPublisher> = {}) {
  const added = await store.addPublisher(newPublisher(publisher));
  assert.ok(added);
  return added;
}

function categoryOf(
  publisherId: PublisherId,
  category: Partial<Category> = {},
): Category {
  return {
    publisherId,
    reference: "news",
    topicName: "shop-news",
    createdAt: start,
    ...category,
  };
}
