import assert from "node:assert/strict";
import {
  type MessageLease,
  type NewMailbox,
  type Store,
  subscriptionStatus,
  type Topic,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  countsOf,
  everything,
  fanOut,
  messageTo,
  otherProjectId,
  projectId,
  start,
} from "./fixtures.ts";
import {
  cancelWithdrawn,
  maxDeliveries,
  newMailbox,
} from "./mailbox-fixtures.ts";

export function testMailboxes({ test }: Cases): void {
  test("keeps one mailbox of a name in each project", async (store) => {
    const own = newMailbox({ name: "till.1", secretHash: "hash" });
    const added = await store.addMailbox(own);
    assert.ok(added);
    assert.deepEqual(added, { ...own, seq: added.seq, depth: 0 });
    const again = newMailbox({ name: "till.1" });
    assert.equal(await store.addMailbox(again), undefined);
    const others = newMailbox({ name: "till.1", projectId: otherProjectId });
    const other = await store.addMailbox(others);
    assert.deepEqual(await store.findMailbox(projectId, "till.1"), added);
    assert.deepEqual(await store.findMailbox(otherProjectId, "till.1"), other);
    const account = { ...own, seq: added.seq };
    assert.deepEqual(await store.findMailboxById(own.id), account);
    assert.deepEqual(
      await store.findMailboxAccount(projectId, "till.1"),
      account,
    );
    assert.equal((await store.findMailboxById(others.id))?.seq, other?.seq);
    assert.equal(await store.findMailboxById(again.id), undefined);
    assert.equal(await store.findMailbox(projectId, "Till.1"), undefined);
  });

  test("lists a project's mailboxes, oldest first, page by page", async (store) => {
    const added = [];
    for (const name of ["c", "a", "b"]) added.push(await add(store, { name }));
    await add(store, { projectId: otherProjectId });
    const [first, second, third] = added;
    assert.ok(first && second && third);
    const list = (limit: number, behind?: number) =>
      store.listMailboxes(projectId, {
        limit,
        ...(behind !== undefined && { after: behind }),
      });
    assert.deepEqual(await list(9), added);
    assert.deepEqual(await list(2), [first, second]);
    assert.deepEqual(await list(2, second.seq), [third]);
    await store.deleteMailbox(projectId, third.name, start);
    const next = await add(store, { name: "d" });
    assert.ok(next.seq > third.seq, "its number was given to another");
    assert.deepEqual(await list(2, third.seq), [next]);
  });

  test("changes what is named of a mailbox", async (store) => {
    const known = await add(store, { name: "till" });
    const change = (changes: Parameters<Store["updateMailbox"]>[2]) =>
      store.updateMailbox(projectId, "till", changes);
    const off = { ...known, disabled: true };
    assert.deepEqual(await change({ disabled: true }), off);
    assert.deepEqual(
      await change({ secretHash: "new", quota: 7, legacyConfirm: "off" }),
      { ...off, secretHash: "new", quota: 7, legacyConfirm: "off" },
    );
    const on = await change({ disabled: false });
    assert.deepEqual(on, {
      ...known,
      secretHash: "new",
      quota: 7,
      legacyConfirm: "off",
    });
    assert.deepEqual(await store.findMailbox(projectId, "till"), on);
    assert.equal(
      await store.updateMailbox(otherProjectId, "till", { quota: 1 }),
      undefined,
    );
  });

  test("counts what waits in a mailbox, what is leased and what is dead", async (store) => {
    const topic = await addTopic(store);
    const { seq } = await subscribe(store, topic, "till");
    const other = await subscribe(store, topic, "other");
    for (let n = 0; n < 6; n++) await publish(store, topic);
    const [dead, delayed, ...leased] = await lease(store, seq, 4);
    assert.ok(dead && delayed);
    const giveBack = (key: MessageLease, delayMs: number, most: number) =>
      store.nackLeases(seq, [key], { delayMs, maxDeliveries: most }, after(1));
    assert.deepEqual(await giveBack(dead, 0, 1), [true]);
    assert.deepEqual(await giveBack(delayed, 5000, maxDeliveries), [true]);
    assert.equal(leased.length, 2);
    assert.deepEqual(await store.countMailboxMessages(seq), {
      waiting: 3,
      leased: 2,
      dead: 1,
    });
    assert.equal((await store.findMailbox(projectId, "till"))?.depth, 5);
    await store.ackLeases(seq, leased, after(2));
    assert.deepEqual(await store.countMailboxMessages(seq), {
      waiting: 3,
      leased: 0,
      dead: 1,
    });
    assert.deepEqual(await store.countMailboxMessages(other.seq), {
      waiting: 6,
      leased: 0,
      dead: 0,
    });
    assert.deepEqual(await store.countMailboxMessages(999), {
      waiting: 0,
      leased: 0,
      dead: 0,
    });
  });

  test("deletes a mailbox with its subscriptions, and cancels what is in it", async (store) => {
    const topic = await addTopic(store);
    const second = await addTopic(store);
    const { seq } = await subscribe(store, topic, "till");
    await subscribe(store, second, "till");
    const kept = await subscribe(store, topic, "other");
    const messages = [
      await publish(store, topic),
      await publish(store, topic),
      await publish(store, second),
    ];
    const [dead, leased] = await lease(store, seq, 2);
    assert.ok(dead && leased);
    const options = { delayMs: 0, maxDeliveries: 1 };
    await store.nackLeases(seq, [dead], options, after(1));

    assert.equal(
      await store.deleteMailbox(otherProjectId, "till", after(2)),
      false,
    );
    assert.equal(await store.deleteMailbox(projectId, "till", after(2)), true);
    assert.equal(await store.deleteMailbox(projectId, "till", after(2)), false);
    assert.equal(await store.findMailbox(projectId, "till"), undefined);
    await cancelWithdrawn(store, 2);
    const counts = [];
    for (const message of messages) counts.push(await countsOf(store, message));
    assert.deepEqual(counts, [
      { failed: 1, waiting: 1 },
      { cancelled: 1, waiting: 1 },
      { cancelled: 1 },
    ]);
    assert.deepEqual(await store.ackLeases(seq, [leased], after(3)), [false]);
    const { items } = await store.listSubscriptions(projectId, {}, everything);
    assert.deepEqual(
      items.map(({ mailbox }) => mailbox),
      [kept.seq],
    );
    assert.equal(await store.countSubscriptions(topic.seq), 1);
    assert.equal(await store.countSubscriptions(second.seq), 0);
    assert.equal((await store.findMailbox(projectId, "other"))?.depth, 2);

    const anew = await subscribe(store, topic, "till");
    assert.notEqual(anew.seq, seq);
    assert.equal(anew.depth, 0);
    assert.deepEqual(await lease(store, anew.seq, 9), []);
  });

  test("deletes a project's mailboxes with it, and makes none in it", async (store) => {
    const project = { id: projectId, name: "shop", domainId: "d1" };
    await store.putProject(project);
    const topic = await addTopic(store);
    const { seq } = await subscribe(store, topic, "till");
    const message = await publish(store, topic);
    const [leased] = await lease(store, seq, 1);
    assert.ok(leased);
    const other = await add(store, { projectId: otherProjectId });
    assert.equal(await store.deleteProject(projectId, after(1)), false);
    assert.ok(await store.findMailbox(projectId, "till"));
    await store.deleteTopic(projectId, topic.name, after(1));
    assert.equal(await store.deleteProject(projectId, after(2)), true);
    assert.equal(await store.findMailbox(projectId, "till"), undefined);
    await cancelWithdrawn(store, 2);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    assert.ok(await store.findMailboxById(other.id));
    await assert.rejects(store.addMailbox(newMailbox()), {
      code: "PROJECT_DELETED",
    });
    await store.putProject(project);
    assert.ok(await store.addMailbox(newMailbox()));
  });
}

async function add(store: Store, mailbox: Partial<NewMailbox> = {}) {
  const added = await store.addMailbox(newMailbox(mailbox));
  assert.ok(added);
  return added;
}

/** Subscribes a mailbox, and answers it. */
async function subscribe(store: Store, topic: Topic, name: string) {
  await addSubscription(store, topic, {
    protocol: "pull",
    endpoint: name,
    status: subscriptionStatus.confirmationNotNeeded,
    mailbox: newMailbox({ name }),
  });
  const mailbox = await store.findMailbox(projectId, name);
  assert.ok(mailbox);
  return mailbox;
}

/** A message that is in all mailboxes of its topic. */
async function publish(store: Store, topic: Topic) {
  const message = messageTo(topic);
  const { items } = await store.listSubscriptions(
    projectId,
    { topicSeq: topic.seq },
    everything,
  );
  await fanOut(
    store,
    topic,
    (messageSeq) =>
      items.flatMap(({ seq: target, mailbox }) =>
        mailbox === undefined
          ? []
          : [
              {
                messageSeq,
                target,
                state: "waiting" as const,
                attempts: 0,
                pull: { mailbox, expiresAt: after(3_600_000) },
              },
            ],
      ),
    message,
  );
  return message;
}

async function lease(store: Store, mailbox: number, limit: number) {
  const request = { mailbox, limit, leaseMs: 60_000 };
  const [leases] = await store.leaseMessages([request], start, maxDeliveries);
  assert.ok(leases);
  return leases;
}
