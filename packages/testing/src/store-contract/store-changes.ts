import assert from "node:assert/strict";
import type { Store, StoreChange } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimRanges,
  completeRange,
  delivered,
  directMessage,
  hmac,
  leaseOf,
  messageTo,
  newSubscription,
  phones,
  projectId,
  start,
} from "./fixtures.ts";
import { newMailbox } from "./mailbox-fixtures.ts";

const user = {
  id: "u1",
  name: "admin",
  domainId: "d1",
  passwordHash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA",
  role: "admin" as const,
  projectIds: [projectId],
};
const project = { id: projectId, name: "shop", domainId: "d1" };
const accessKey = {
  accessKey: "AK1",
  encryptedSecret: "c2VjcmV0",
  userId: "u1",
  projectId,
  createdAt: start,
};

function tokenOf(hash: string, issuedAt = start, firstHash?: string) {
  const methods = ["password"];
  const expiresAt = after(1000);
  const first = firstHash !== undefined && { firstHash };
  return { hash, userId: "u1", methods, issuedAt, expiresAt, ...first };
}

export function testStoreChanges({ test }: Cases): void {
  test("tells of a setting that is written", async (store) => {
    const told = (write: () => Promise<unknown>, value: string) =>
      expectNotice(store, { kind: "setting", name: "a" }, write, async () => {
        assert.equal((await store.findSetting("a"))?.value, value);
      });
    await told(() => store.putSetting("a", "1", 0), "1");
    await told(() => store.putSetting("a", "2", 1), "2");
  });

  test("tells of users, projects and domains", async (store) => {
    const domain = { id: "d1", name: "default" };
    const ofDomain = { kind: "access", of: "domain", id: "d1" } as const;
    const ofProject = { kind: "access", of: "project", id: projectId } as const;
    const ofUser = { kind: "access", of: "user", id: "u1" } as const;
    await expectNotice(
      store,
      ofDomain,
      () => store.putDomain(domain),
      async () => assert.ok(await store.findDomain("d1")),
    );
    await expectNotice(
      store,
      ofProject,
      () => store.putProject(project),
      async () => assert.ok(await store.findProject(projectId)),
    );
    await expectNotice(
      store,
      ofUser,
      () => store.putUser(user),
      async () => assert.ok(await store.findUser("u1")),
    );
    const disabled = { ...user, disabled: true } as const;
    await expectNotice(
      store,
      ofUser,
      () => store.putUser(disabled),
      async () => assert.ok((await store.findUser("u1"))?.disabled),
    );
    await expectNotice(
      store,
      ofUser,
      () => store.deleteUser("u1"),
      async () => assert.equal(await store.findUser("u1"), undefined),
    );
    await expectNotice(
      store,
      ofProject,
      () => store.deleteProject(projectId, start),
      async () => assert.equal(await store.findProject(projectId), undefined),
    );
    await expectNotice(
      store,
      ofDomain,
      () => store.deleteDomain("d1"),
      async () => assert.equal(await store.findDomain("d1"), undefined),
    );
  });

  test("tells of access keys", async (store) => {
    const notice = { kind: "access", of: "access_key", id: "AK1" } as const;
    await store.putAccessKey(accessKey);
    await expectNotice(
      store,
      notice,
      () => store.putAccessKey({ ...accessKey, disabled: true }),
      async () => assert.ok((await store.findAccessKey("AK1"))?.disabled),
    );
    await expectNotice(
      store,
      notice,
      () => store.deleteAccessKey("AK1"),
      async () => assert.equal(await store.findAccessKey("AK1"), undefined),
    );
  });

  test("tells of tokens that end", async (store) => {
    const ofToken = (id: string) =>
      ({ kind: "access", of: "token", id }) as const;
    const isGone = (hash: string) => async () =>
      assert.equal(await store.findToken(hash), undefined);
    await store.putToken(tokenOf("first"), 2);
    await store.putToken(tokenOf("b", after(1), "first"), 2);
    await store.putToken(tokenOf("c", after(2), "first"), 2);
    // One too many: the oldest gives way.
    await expectNotice(
      store,
      ofToken("b"),
      () => store.putToken(tokenOf("d", after(3), "first"), 2),
      isGone("b"),
    );
    await expectNotice(
      store,
      ofToken("first"),
      () => store.deleteToken("first"),
      async () => {
        await isGone("first")();
        await isGone("c")();
      },
    );
  });

  test("tells of a user whose tokens end", async (store) => {
    await store.putToken(tokenOf("a"), 2);
    const told = Promise.withResolvers<void>();
    const stop = store.changes((change) => {
      const isMeant =
        change.kind === "all" ||
        (change.kind === "access" && ["a", "u1"].includes(change.id));
      if (isMeant) told.resolve();
    });
    await store.deleteTokens("u1");
    await told.promise;
    stop();
    assert.equal(await store.findToken("a"), undefined);
  });

  test("tells of mailboxes that are changed or deleted", async (store) => {
    const name = "till";
    const added = await store.addMailbox(newMailbox({ name }));
    assert.ok(added);
    const { id, seq: mailbox } = added;
    const quotas = async () => [
      (await store.findMailboxAccount(projectId, name))?.quota,
      (await store.findMailboxById(id))?.quota,
    ];
    // Now they are read, and may be cached.
    await quotas();
    const notice = { kind: "mailbox", mailbox } as const;
    await expectNotice(
      store,
      notice,
      () => store.updateMailbox(projectId, name, { quota: 7 }),
      async () => assert.deepEqual(await quotas(), [7, 7]),
    );
    await expectNotice(
      store,
      notice,
      () => store.deleteMailbox(projectId, name, start),
      async () => assert.deepEqual(await quotas(), [undefined, undefined]),
    );
    const next = newMailbox({ name, quota: 8 });
    await store.addMailbox(next);
    assert.equal((await store.findMailboxAccount(projectId, name))?.quota, 8);
  });

  test("tells of topics, and of what is bound to them", async (store) => {
    const { seq: topicSeq, name } = await addTopic(store);
    const notice = { kind: "topic", topicSeq } as const;
    const kms = { id: "k1", data: { keyId: "k" }, createdAt: start };
    const bound = async () =>
      (await store.findBinding(topicSeq, "kms"))?.data.keyId;
    const displayName = async () =>
      (await store.findTopic(projectId, name))?.displayName;
    // Now it is read, and may be cached.
    await displayName();
    await bound();
    await expectNotice(
      store,
      notice,
      () =>
        store.updateTopic(projectId, name, {
          displayName: "x",
          updatedAt: after(1),
        }),
      async () => assert.equal(await displayName(), "x"),
    );
    await expectNotice(
      store,
      notice,
      () => store.addBinding(topicSeq, "kms", kms),
      async () => assert.equal(await bound(), "k"),
    );
    await expectNotice(
      store,
      notice,
      () =>
        store.updateBinding(topicSeq, "kms", "k1", {
          data: { keyId: "l" },
          updatedAt: after(1),
        }),
      async () => assert.equal(await bound(), "l"),
    );
    await expectNotice(
      store,
      notice,
      () => store.removeBinding(topicSeq, "kms", "k1"),
      async () => assert.equal(await bound(), undefined),
    );
    await expectNotice(
      store,
      notice,
      () => store.deleteTopic(projectId, name, start),
      async () => assert.equal(await displayName(), undefined),
    );
  });

  test("tells of a topic that is new", async (store) => {
    const { seq } = await addTopic(store);
    await expectNotice(
      store,
      { kind: "topic", topicSeq: seq + 1 },
      () => addTopic(store),
      async () => {},
    );
  });

  test("tells of whoever receives a topic's messages", async (store) => {
    const topic = await addTopic(store);
    const notice = { kind: "subscriptions", topicSeq: topic.seq } as const;
    const told = (write: () => Promise<unknown>, count: number) =>
      expectNotice(store, notice, write, async () => {
        assert.equal((await readAudience(store, topic.seq)).length, count);
      });
    await told(() => addSubscription(store, topic), 1);
    const { id, generation } = await addSubscription(store, topic);
    await told(() => store.cancelSubscription(id, () => undefined), 1);
    await told(() => store.confirmSubscription(id, generation + 1), 2);
    await told(
      () =>
        store.updateSubscription(projectId, topic.name, id, {
          filterPolicies: [{ name: "a", stringEquals: ["b"] }],
        }),
      2,
    );
    await told(() => store.replaceSignature(id, undefined, hmac), 2);
    await told(
      () => store.deleteSubscription(projectId, topic.name, id, start),
      1,
    );
    // Whoever walks the rest of a range finds them cancelled one by one.
    await told(() => store.deleteTopic(projectId, topic.name, start), 1);
  });

  test("tells all who listen, and nobody who listens no more", async (store) => {
    const told: string[] = [];
    const stopped = store.changes(() => told.push("stopped"));
    const one = Promise.withResolvers<StoreChange>();
    const other = Promise.withResolvers<StoreChange>();
    store.changes(one.resolve);
    store.changes(other.resolve);
    stopped();
    await store.putSetting("a", "1", 0);
    assert.deepEqual(await one.promise, await other.promise);
    assert.deepEqual(told, []);
  });

  test("tells of each of many changes at once, or of all", async (store) => {
    const names = Array.from({ length: 200 }, (_, n) => `s${n}`);
    const untold = new Set(names);
    const told = Promise.withResolvers<void>();
    store.changes((change) => {
      if (change.kind === "all") untold.clear();
      else if (change.kind === "setting") untold.delete(change.name);
      if (untold.size === 0) told.resolve();
    });
    await Promise.all(names.map((name) => store.putSetting(name, "1", 0)));
    await told.promise;
  });

  test("tells nothing of messages and deliveries", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    await store.putSetting("before", "1", 0);
    // What is told late of what came before is told by then.
    await expectNotice(
      store,
      { kind: "setting", name: "ready" },
      () => store.putSetting("ready", "1", 0),
      async () => {},
    );
    const changes: StoreChange[] = [];
    const last = Promise.withResolvers<void>();
    store.changes((change) => {
      changes.push(change);
      last.resolve();
    });
    await store.acceptDirectMessage(directMessage(), phones(2));
    const { seq } = await store.acceptMessage(messageTo(topic), undefined);
    const [claimed] = await claimRanges(store, leaseOf("a"), 1);
    assert.ok(claimed);
    await completeRange(store, claimed.range, [delivered(seq, target)]);
    await store.putSetting("after", "1", 0);
    await last.promise;
    assert.deepEqual(changes, [{ kind: "setting", name: "after" }]);
  });

  test("tells nothing of what was refused", async (store) => {
    const topic = await addTopic(store);
    await store.putSetting("a", "1", 0);
    await expectNotice(
      store,
      { kind: "setting", name: "ready" },
      () => store.putSetting("ready", "1", 0),
      async () => {},
    );
    const changes: StoreChange[] = [];
    const last = Promise.withResolvers<void>();
    store.changes((change) => {
      changes.push(change);
      last.resolve();
    });
    assert.equal(await store.putSetting("a", "2", 0), false);
    const over = newSubscription(topic);
    await assert.rejects(store.addSubscription(over, undefined, 0), {
      code: "SUBSCRIPTION_QUOTA_EXCEEDED",
    });
    await assert.rejects(store.createTopic({ ...topic, name: "b" }, 0), {
      code: "TOPIC_QUOTA_EXCEEDED",
    });
    await store.putSetting("a", "2", 1);
    await last.promise;
    assert.deepEqual(changes, [{ kind: "setting", name: "a" }]);
  });
}

/** Has it written, waits until it is told, and looks from within the notice. */
async function expectNotice(
  store: Store,
  expected: StoreChange,
  write: () => Promise<unknown>,
  look: () => Promise<unknown>,
): Promise<void> {
  const looked = Promise.withResolvers<unknown>();
  const stop = store.changes((change) => {
    if (change.kind === "all" || isSame(change, expected)) {
      looked.resolve(look());
    }
  });
  await write();
  await looked.promise;
  stop();
}

function isSame(a: StoreChange, b: StoreChange): boolean {
  return Object.entries(b).every(([name, value]) =>
    Object.entries(a).some(([key, it]) => key === name && it === value),
  );
}

async function readAudience(store: Store, topicSeq: number) {
  const whole = { afterTarget: 0, uptoTarget: undefined };
  const range = { messageSeq: 0, topicSeq, ...whole, fence: 1 };
  return await store.readAudience(range, 100);
}
