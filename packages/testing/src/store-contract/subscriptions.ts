import assert from "node:assert/strict";
import {
  CarillonError,
  type ErrorCode,
  type MessageContent,
  noticeContent,
  type Store,
  type SubscriptionId,
  subscriptionStatus,
} from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  everything,
  freshId,
  hmac,
  intend,
  leaseOf,
  mailOf,
  newSubscription,
  noQuota,
  otherProjectId,
  projectId,
  rotated,
  start,
} from "./fixtures.ts";

export function testSubscriptions({ test }: Cases): void {
  test("keeps a subscription as it was given, with a growing number", async (store) => {
    const topic = await addTopic(store);
    const given = newSubscription(topic, {
      remark: "Ops",
      extension: { header: { "x-key": "1" } },
    });
    const added = await store.addSubscription(given, undefined, noQuota);
    const { subscription } = added;
    assert.equal(added.created, true);
    assert.deepEqual(subscription, {
      ...given,
      seq: subscription.seq,
      topicName: topic.name,
      generation: 0,
    });
    const next = await addSubscription(store, topic);
    assert.ok(next.seq > subscription.seq);
    assert.deepEqual(
      await store.findSubscription(projectId, topic.name, given.id),
      subscription,
    );
    assert.deepEqual(await store.findSubscriptionById(given.id), subscription);
  });

  test("keeps a signature that a subscription is added with", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic, { signature: hmac });
    const kept = await store.findSubscriptionById(id);
    assert.deepEqual(kept?.signature, hmac);
  });

  test("replaces a signature that is the expected one only", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    const kept = async () => (await store.findSubscriptionById(id))?.signature;
    assert.equal(await store.replaceSignature(id, rotated, hmac), false);
    assert.equal(await kept(), undefined);
    assert.equal(await store.replaceSignature(id, undefined, hmac), true);
    assert.deepEqual(await kept(), hmac);
    const both = await Promise.all([
      store.replaceSignature(id, hmac, rotated),
      store.replaceSignature(id, hmac, rotated),
    ]);
    assert.deepEqual(both, [true, false]);
    assert.deepEqual(await kept(), rotated);
    assert.equal(await store.replaceSignature(id, undefined, hmac), false);
    // What was read from it is as good as what was written.
    assert.equal(await store.replaceSignature(id, await kept(), hmac), true);
  });

  test("replaces no signature of a subscription that is gone", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, id, start);
    assert.equal(await store.replaceSignature(id, undefined, hmac), false);
    const unknown = freshId<SubscriptionId>();
    assert.equal(await store.replaceSignature(unknown, undefined, hmac), false);
  });

  test("finds a subscription only under its own project and topic", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    const find: Store["findSubscription"] = (...key) =>
      store.findSubscription(...key);
    assert.equal(await find(otherProjectId, topic.name, id), undefined);
    assert.equal(await find(projectId, "other", id), undefined);
    const unknown = freshId<SubscriptionId>();
    assert.equal(await find(projectId, topic.name, unknown), undefined);
    assert.equal(await store.findSubscriptionById(unknown), undefined);
  });

  test("answers the subscription that has the endpoint already", async (store) => {
    const topic = await addTopic(store);
    const known = await addSubscription(store, topic, { remark: "first" });
    const again = newSubscription(topic, {
      endpoint: known.endpoint,
      remark: "second",
    });
    assert.deepEqual(await store.addSubscription(again, undefined, 1), {
      subscription: known,
      created: false,
    });
  });

  test("takes an endpoint once per topic and protocol", async (store) => {
    const topic = await addTopic(store);
    const { endpoint } = await addSubscription(store, topic);
    const inOther = await store.addSubscription(
      newSubscription(await addTopic(store), { endpoint }),
      undefined,
      noQuota,
    );
    const byOther = await store.addSubscription(
      newSubscription(topic, { endpoint, protocol: "http" }),
      undefined,
      noQuota,
    );
    assert.ok(inOther.created && byOther.created);
  });

  test("changes a subscription's remark and filter policies, each by itself", async (store) => {
    const topic = await addTopic(store);
    const before = await addSubscription(store, topic, { remark: "first" });
    const { id } = before;
    const filterPolicies = [
      { name: "level", stringEquals: ["high", "größer"] },
      { name: "site", stringEquals: ["a"] },
    ];
    const update: Store["updateSubscription"] = (...args) =>
      store.updateSubscription(...args);
    const find = () => store.findSubscription(projectId, topic.name, id);

    assert.ok(await update(projectId, topic.name, id, { filterPolicies }));
    assert.deepEqual(await find(), { ...before, filterPolicies });
    assert.ok(await update(projectId, topic.name, id, { remark: "" }));
    const changed = { ...before, remark: "", filterPolicies };
    assert.deepEqual(await find(), changed);
    const listed = await store.listSubscriptions(projectId, {}, everything);
    assert.deepEqual(listed.items, [changed]);
    await update(projectId, topic.name, id, { filterPolicies: [] });
    assert.deepEqual(await find(), { ...before, remark: "" });
  });

  test("changes nothing of a subscription that is not there", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    const change = { remark: "changed" };
    const unknown = freshId<SubscriptionId>();
    assert.deepEqual(
      await Promise.all([
        store.updateSubscription(otherProjectId, topic.name, id, change),
        store.updateSubscription(projectId, "other", id, change),
        store.updateSubscription(projectId, topic.name, unknown, change),
      ]),
      [false, false, false],
    );
    await store.deleteSubscription(projectId, topic.name, id, start);
    assert.equal(
      await store.updateSubscription(projectId, topic.name, id, change),
      false,
    );
  });

  test("refuses a subscription beyond the topic's quota", async (store) => {
    const topic = await addTopic(store);
    const first = await addSubscription(store, topic);
    await addSubscription(store, await addTopic(store));
    const add = (quota: number) =>
      store.addSubscription(newSubscription(topic), undefined, quota);
    await assert.rejects(add(1), hasCode("SUBSCRIPTION_QUOTA_EXCEEDED"));
    await store.deleteSubscription(projectId, topic.name, first.id, start);
    assert.equal((await add(1)).created, true);
  });

  test("refuses a subscription whose topic is gone or another project's", async (store) => {
    const topic = await addTopic(store);
    const foreign = newSubscription(topic, { projectId: otherProjectId });
    await assert.rejects(
      store.addSubscription(foreign, undefined, noQuota),
      hasCode("TOPIC_NOT_FOUND"),
    );
    await store.deleteTopic(projectId, topic.name, start);
    await assert.rejects(
      store.addSubscription(newSubscription(topic), undefined, noQuota),
      hasCode("TOPIC_NOT_FOUND"),
    );
  });

  test("queues the confirmation with the subscription", async (store, clock) => {
    const topic = await addTopic(store);
    const mail = mailOf(topic, "confirmation");
    const { subscription } = await store.addSubscription(
      newSubscription(topic, {
        status: subscriptionStatus.unconfirmed,
        extension: { header: { "x-key": "1" } },
      }),
      mail,
      noQuota,
    );
    const [claimed, ...more] = await claimDue(
      store,
      clock,
      leaseOf("a"),
      start,
      noQuota,
    );
    assert.ok(claimed);
    assert.deepEqual(more, []);
    assert.deepEqual(claimed.recipient, {
      target: subscription.seq,
      protocol: subscription.protocol,
      endpoint: subscription.endpoint,
      subscriptionId: subscription.id,
      generation: 0,
      extension: { header: { "x-key": "1" } },
    });
    assert.deepEqual(await store.findMessageBySeq(claimed.messageSeq), {
      ...mail.message,
      content: noticeContent(mail, subscription),
      seq: claimed.messageSeq,
    });
  });

  test("queues the confirmation again only while unconfirmed", async (store, clock) => {
    const topic = await addTopic(store);
    const given = newSubscription(topic, {
      status: subscriptionStatus.unconfirmed,
    });
    const add = () =>
      store.addSubscription(
        { ...given, id: freshId<SubscriptionId>() },
        mailOf(topic, "confirmation"),
        noQuota,
      );
    const { subscription } = await add();
    assert.deepEqual(await add(), { subscription, created: false });
    assert.equal(await countDue(store, clock), 2);
    await store.confirmSubscription(subscription.id, 0);
    const { subscription: confirmed } = await add();
    assert.equal(confirmed.status, subscriptionStatus.confirmed);
    assert.equal(await countDue(store, clock), 0);
  });

  test("unconfirms a cancelled subscription that is added again", async (store) => {
    const topic = await addTopic(store);
    const known = await addSubscription(store, topic);
    await store.cancelSubscription(known.id, () =>
      mailOf(topic, "unsubscription"),
    );
    const again = await store.addSubscription(
      newSubscription(topic, {
        endpoint: known.endpoint,
        status: subscriptionStatus.unconfirmed,
      }),
      mailOf(topic, "confirmation"),
      1,
    );
    assert.deepEqual(again, {
      subscription: {
        ...known,
        status: subscriptionStatus.unconfirmed,
        generation: 1,
      },
      created: false,
    });
    const confirmed = await store.confirmSubscription(known.id, 1);
    assert.equal(confirmed?.status, subscriptionStatus.confirmed);
  });

  test("confirms a subscription in its generation, twice", async (store) => {
    const topic = await addTopic(store);
    const subscription = await addUnconfirmed(store, topic);
    const { id } = subscription;
    assert.equal(subscription.generation, 0);
    const unknown = freshId<SubscriptionId>();
    assert.equal(await store.confirmSubscription(unknown, 0), undefined);
    assert.equal(await store.confirmSubscription(id, 1), undefined);
    assert.deepEqual(await store.findSubscriptionById(id), subscription);
    const expected = { ...subscription, status: subscriptionStatus.confirmed };
    assert.deepEqual(await store.confirmSubscription(id, 0), expected);
    assert.deepEqual(await store.confirmSubscription(id, 0), expected);
    assert.deepEqual(await store.findSubscriptionById(id), expected);
  });

  test("says in a notice which subscription it is of, and in which generation", async (store, clock) => {
    const topic = await addTopic(store);
    const { id, endpoint } = await addUnconfirmed(store, topic, {
      expiresAt: after(1),
    });
    const notice = (kind: "confirmation" | "unsubscription", ms: number) => ({
      ...mailOf(topic, kind),
      expiresAt: after(ms),
    });
    await store.cancelSubscription(id, () => notice("unsubscription", 2));
    await store.addSubscription(
      newSubscription(topic, { endpoint, status: 0 }),
      { ...notice("confirmation", 3), byCode: true },
      noQuota,
    );
    const claimed = await claimDue(store, clock, leaseOf("a"), start, 10);
    const sent = await Promise.all(
      claimed.map(async ({ messageSeq, recipient }) => {
        assert.equal(recipient.generation, 1);
        return (await store.findMessageBySeq(messageSeq))?.content;
      }),
    );
    const grant = (generation: number, ms: number) => ({
      subscriptionId: id,
      generation,
      expiresAt: after(ms),
    });
    assert.deepEqual(
      sent.toSorted((a, b) => expiryOf(a) - expiryOf(b)),
      [
        { kind: "confirmation", grant: grant(0, 1) },
        { kind: "unsubscription", grant: grant(1, 2) },
        { kind: "confirmation", grant: grant(1, 3), byCode: true },
      ],
    );
  });

  test("keeps until when the code that was sent last is good", async (store) => {
    const topic = await addTopic(store);
    const { id, endpoint } = await addUnconfirmed(store, topic);
    const code = async () =>
      (await store.findSubscriptionById(id))?.codeExpiresAt;
    assert.equal(await code(), undefined);
    for (const ms of [10, 20]) {
      const { subscription } = await store.addSubscription(
        newSubscription(topic, { endpoint, status: 0 }),
        {
          ...mailOf(topic, "confirmation"),
          expiresAt: after(ms),
          byCode: true,
        },
        noQuota,
      );
      assert.equal(subscription.codeExpiresAt, after(ms));
      assert.equal(await code(), after(ms));
    }
    await store.cancelSubscription(id, () => mailOf(topic, "unsubscription"));
    assert.equal(await code(), undefined);
  });

  test("begins another generation when the subscriber leaves", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addUnconfirmed(store, topic);
    await store.confirmSubscription(id, 0);
    await store.cancelSubscription(id, () => mailOf(topic, "unsubscription"));
    assert.equal(await store.confirmSubscription(id, 0), undefined);
    const found = await store.findSubscriptionById(id);
    assert.equal(found?.status, subscriptionStatus.cancelled);
    assert.equal(found.generation, 1);
    const back = await store.confirmSubscription(id, 1);
    assert.equal(back?.status, subscriptionStatus.confirmed);
    assert.equal(back.generation, 1);
  });

  test("does not confirm in the generation that ends at the same time", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addUnconfirmed(store, topic);
    const [left] = await Promise.all([
      store.cancelSubscription(id, () => mailOf(topic, "unsubscription")),
      store.confirmSubscription(id, 0),
      store.confirmSubscription(id, 0),
    ]);
    assert.equal(left?.generation, 1);
    const found = await store.findSubscriptionById(id);
    assert.equal(found?.status, subscriptionStatus.cancelled);
  });

  test("does not confirm what was deleted", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addUnconfirmed(store, topic);
    await store.deleteSubscription(projectId, topic.name, id, start);
    assert.equal(await store.confirmSubscription(id, 0), undefined);
    const other = await addUnconfirmed(store, topic);
    await store.deleteTopic(projectId, topic.name, start);
    assert.equal(await store.confirmSubscription(other.id, 0), undefined);
  });

  test("sends one unsubscribe notice to who unsubscribes", async (store, clock) => {
    const topic = await addTopic(store);
    const known = await addSubscription(store, topic);
    const cancel = () =>
      store.cancelSubscription(known.id, (subscription) => {
        assert.deepEqual(subscription, known);
        return mailOf(topic, "unsubscription");
      });
    const cancelled = {
      ...known,
      status: subscriptionStatus.cancelled,
      generation: 1,
    };
    assert.deepEqual(await cancel(), cancelled);
    assert.deepEqual(await cancel(), cancelled);
    const [unsubscribeNotice, ...more] = await claimDue(
      store,
      clock,
      leaseOf("a"),
      start,
      10,
    );
    assert.equal(unsubscribeNotice?.recipient.subscriptionId, known.id);
    assert.deepEqual(more, []);
  });

  test("sends one unsubscribe notice when two unsubscribe at once", async (store, clock) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    await Promise.all(
      [1, 2, 3].map(() =>
        store.cancelSubscription(id, () => mailOf(topic, "unsubscription")),
      ),
    );
    assert.equal(await countDue(store, clock), 1);
  });

  test("ends by a link only the generation that the link is of", async (store, clock) => {
    const topic = await addTopic(store);
    const known = await addSubscription(store, topic);
    const leave = (generation: number) =>
      store.cancelSubscription(
        known.id,
        () => mailOf(topic, "unsubscription"),
        generation,
      );
    assert.equal(await leave(1), undefined);
    assert.deepEqual(await store.findSubscriptionById(known.id), known);
    const left = {
      ...known,
      status: subscriptionStatus.cancelled,
      generation: 1,
    };
    assert.deepEqual(await leave(0), left);
    // The link by which they left goes on to answer that they did.
    assert.deepEqual(await leave(0), left);
    assert.equal(await countDue(store, clock), 1);
    const back = await store.confirmSubscription(known.id, 1);
    assert.equal(await leave(0), undefined);
    assert.deepEqual(await store.findSubscriptionById(known.id), back);
    assert.equal((await leave(1))?.generation, 2);
  });

  test("keeps who leaves and comes back while an old link is followed", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    const leave = (generation: number) =>
      store.cancelSubscription(
        id,
        () => mailOf(topic, "unsubscription"),
        generation,
      );
    const [, , late] = await Promise.all([
      leave(0),
      store.confirmSubscription(id, 1),
      leave(0),
    ]);
    assert.equal(late, undefined);
    const found = await store.findSubscriptionById(id);
    assert.equal(found?.status, subscriptionStatus.confirmed);
  });

  test("takes back by the unsubscribe notice's link who unsubscribed", async (store) => {
    const topic = await addTopic(store);
    const known = await addSubscription(store, topic);
    await store.cancelSubscription(known.id, () =>
      mailOf(topic, "unsubscription"),
    );
    assert.deepEqual(await store.confirmSubscription(known.id, 1), {
      ...known,
      generation: 1,
    });
  });

  test("has no unsubscribe notice for a subscription that is not there", async (store) => {
    const topic = await addTopic(store);
    const { id } = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, id, start);
    const unsubscribeNotice = () => assert.fail("There is nobody to write to.");
    assert.equal(
      await store.cancelSubscription(id, unsubscribeNotice),
      undefined,
    );
  });

  test("forgets what its owner deletes", async (store) => {
    const topic = await addTopic(store);
    const { id, seq, endpoint } = await addSubscription(store, topic);
    const remove: Store["deleteSubscription"] = (...key) =>
      store.deleteSubscription(...key);
    assert.equal(await remove(otherProjectId, topic.name, id, start), false);
    assert.equal(await remove(projectId, "other", id, start), false);
    assert.equal(await remove(projectId, topic.name, id, start), true);
    assert.equal(await remove(projectId, topic.name, id, start), false);
    assert.equal(await store.findSubscriptionById(id), undefined);
    assert.equal(
      await store.findSubscription(projectId, topic.name, id),
      undefined,
    );
    const again = await addSubscription(store, topic, { endpoint });
    assert.ok(again.seq > seq);
  });

  test("removes a topic's subscriptions with it", async (store) => {
    const topic = await addTopic(store);
    const kept = await addSubscription(store, await addTopic(store));
    const { id } = await addSubscription(store, topic);
    await store.deleteTopic(projectId, topic.name, start);
    assert.equal(await store.findSubscriptionById(id), undefined);
    assert.deepEqual(await store.listSubscriptions(projectId, {}, everything), {
      total: 1,
      items: [kept],
    });
    const ofTopic = { topicSeq: topic.seq };
    assert.deepEqual(
      await store.listSubscriptions(projectId, ofTopic, everything),
      { total: 0, items: [] },
    );
    assert.equal(await store.countSubscriptions(topic.seq), 0);
  });

  test("counts a topic's subscriptions, whether they are confirmed or not", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, await addTopic(store));
    assert.equal(await store.countSubscriptions(topic.seq), 0);
    const { id } = await addSubscription(store, topic);
    await addUnconfirmed(store, topic);
    assert.equal(await store.countSubscriptions(topic.seq), 2);
    await store.cancelSubscription(id, () => undefined);
    assert.equal(await store.countSubscriptions(topic.seq), 2);
    await store.deleteSubscription(projectId, topic.name, id, start);
    assert.equal(await store.countSubscriptions(topic.seq), 1);
    assert.equal(await store.countSubscriptions(4711), 0);
  });

  test("lists subscriptions of a project or a topic, oldest first", async (store) => {
    const topic = await addTopic(store);
    const first = await addSubscription(store, topic);
    const other = await addSubscription(store, await addTopic(store));
    const third = await addUnconfirmed(store, topic);
    await addSubscription(
      store,
      await addTopic(store, { projectId: otherProjectId }),
    );
    const list: Store["listSubscriptions"] = (...request) =>
      store.listSubscriptions(...request);
    assert.deepEqual(await list(projectId, {}, everything), {
      total: 3,
      items: [first, other, third],
    });
    const ofTopic = { topicSeq: topic.seq };
    assert.deepEqual(await list(projectId, ofTopic, everything), {
      total: 2,
      items: [first, third],
    });
    assert.deepEqual(await list(otherProjectId, ofTopic, everything), {
      total: 0,
      items: [],
    });
  });

  test("filters subscriptions and counts what matches", async (store) => {
    const topic = await addTopic(store);
    const web = await addSubscription(store, topic, { remark: "50% of it" });
    const mail = await addSubscription(store, topic, {
      protocol: "email",
      endpoint: "ops@example.com",
      status: subscriptionStatus.unconfirmed,
    });
    await addSubscription(store, await addTopic(store));
    const list = async (
      filter: Parameters<typeof store.listSubscriptions>[1],
    ) => {
      const page = await store.listSubscriptions(projectId, filter, {
        offset: 0,
        limit: 1,
      });
      return { total: page.total, first: page.items[0]?.id };
    };
    const ofTopic = { topicSeq: topic.seq };
    const onlyMail = { total: 1, first: mail.id };
    const onlyWeb = { total: 1, first: web.id };
    assert.deepEqual(await list({ protocol: "email" }), onlyMail);
    assert.deepEqual(await list({ status: 0 }), onlyMail);
    assert.deepEqual(await list({ endpoint: mail.endpoint }), onlyMail);
    assert.deepEqual(await list({ fuzzyRemark: "0%" }), onlyWeb);
    assert.deepEqual(await list({ ...ofTopic, status: 1 }), onlyWeb);
    assert.deepEqual(await list({ protocol: "https" }), {
      total: 2,
      first: web.id,
    });
    const none = { total: 0, first: undefined };
    assert.deepEqual(await list({ protocol: "telegraph" }), none);
    assert.deepEqual(await list({ protocol: "email", status: 1 }), none);
    assert.deepEqual(await list({ protocols: ["email", "sms"] }), onlyMail);
    assert.deepEqual(await list({ protocols: [] }), none);
    assert.deepEqual(
      await list({ ...ofTopic, protocols: ["email"], status: 1 }),
      none,
    );
    assert.deepEqual(await list({ status: 4 }), none);
  });

  test("goes on behind a subscription deleted between two pages", async (store) => {
    const topic = await addTopic(store);
    const marker = await addSubscription(store, topic);
    const newest = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, marker.id, start);
    const page = { offset: 7, limit: 10, marker: marker.id };
    const { items } = await store.listSubscriptions(projectId, {}, page);
    assert.deepEqual(items, [newest]);
  });

  test("who leaves need not be told, and comes back by subscribing", async (store, clock) => {
    const topic = await addTopic(store);
    const asked = newSubscription(topic, {
      protocol: "queue",
      status: subscriptionStatus.confirmationNotNeeded,
    });
    const add = () => store.addSubscription(asked, undefined, noQuota);
    const { subscription } = await add();
    const left = await store.cancelSubscription(
      subscription.id,
      () => undefined,
    );
    assert.equal(left?.status, subscriptionStatus.cancelled);
    assert.equal(await countDue(store, clock), 0);
    const back = await add();
    assert.equal(back.created, false);
    assert.equal(
      back.subscription.status,
      subscriptionStatus.confirmationNotNeeded,
    );
  });

  test("never repeats a confirmation that costs money", async (store, clock) => {
    const topic = await addTopic(store);
    await addUnconfirmed(store, topic, { billable: true });
    const [claim] = await claimDue(store, clock, leaseOf("a", 10), start, 10);
    assert.ok(claim && (await intend(store, claim)));
    clock.advance(10);
    assert.deepEqual(await store.reclaim(), {
      freed: 0,
      interrupted: 1,
    });
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("b"), after(1e9), 10),
      [],
    );
  });
}

async function countDue(store: Store, clock: ManualClock): Promise<number> {
  return (await claimDue(store, clock, leaseOf("count"), start, noQuota))
    .length;
}

function hasCode(code: ErrorCode) {
  return (error: unknown) =>
    error instanceof CarillonError && error.code === code;
}

function expiryOf(content: MessageContent | undefined): number {
  assert.ok(content && "grant" in content);
  return content.grant.expiresAt;
}
