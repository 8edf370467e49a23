import assert from "node:assert/strict";
import type { ErrorCode } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTopic,
  everything,
  newSubscription,
  newTemplate,
  newTopic,
  projectId,
  start,
} from "./fixtures.ts";

const quota = 5;

/** Many writers at once, and a limit that all of them together have. */
export function testQuotas({ test }: Cases): void {
  test("writers at once do not exceed a project's topics", async (store) => {
    await atOnce("TOPIC_QUOTA_EXCEEDED", () =>
      store.createTopic(newTopic(), quota),
    );
    const { total } = await store.listTopics(projectId, {}, everything);
    assert.equal(total, quota);
  });

  test("writers at once make a topic of one name once", async (store) => {
    const created = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.createTopic(newTopic({ name: "orders" }), quota),
      ),
    );
    assert.equal(created.filter((it) => it.created).length, 1);
    assert.equal(new Set(created.map(({ topic }) => topic.seq)).size, 1);
  });

  test("writers at once do not exceed a topic's subscriptions", async (store) => {
    const topic = await addTopic(store);
    await atOnce("SUBSCRIPTION_QUOTA_EXCEEDED", () =>
      store.addSubscription(newSubscription(topic), undefined, quota),
    );
    const filter = { topicSeq: topic.seq };
    const list = await store.listSubscriptions(projectId, filter, everything);
    assert.equal(list.total, quota);
  });

  test("writers at once do not exceed a project's templates", async (store) => {
    await atOnce("TEMPLATE_QUOTA_EXCEEDED", () =>
      store.createTemplate(newTemplate(), quota),
    );
    const { total } = await store.listTemplates(projectId, {}, everything);
    assert.equal(total, quota);
  });

  test("writers at once do not exceed a topic's tags", async (store) => {
    const { seq } = await addTopic(store);
    await atOnce("RESOURCE_TAG_QUOTA_EXCEEDED", (n) =>
      store.putTags(seq, [{ key: `key-${n}`, value: "" }], quota),
    );
    const tags = await store.listTags([seq]);
    assert.equal(tags.get(seq)?.length, quota);
  });

  test("writers at once do not exceed a domain's subscription users", async (store) => {
    const added = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        store.addSubscriptionUser(
          {
            id: `user-${n}`,
            projectId,
            domainId: "d1",
            name: "Ada",
            protocol: "email",
            endpoint: `ada-${n}@example.com`,
            remark: "",
            createdAt: start,
          },
          quota,
        ),
      ),
    );
    assert.equal(added.filter(Boolean).length, quota);
  });
}

/** Twenty writes, of which as many as the quota succeed. */
async function atOnce(
  code: ErrorCode,
  write: (n: number) => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => write(n)),
  );
  const failures = results.filter((it) => it.status === "rejected");
  assert.equal(results.length - failures.length, quota);
  for (const { reason } of failures) assert.equal(reason.code, code);
}
