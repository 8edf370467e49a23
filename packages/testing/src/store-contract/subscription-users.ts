import assert from "node:assert/strict";
import type { AddressBook, ProjectId, SubscriptionUser } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { freshId, start } from "./fixtures.ts";

const p1 = "1".repeat(32) as ProjectId;
const p2 = "2".repeat(32) as ProjectId;
const p3 = "3".repeat(32) as ProjectId;

export function testSubscriptionUsers({ test }: Cases): void {
  test("lists a project's and a domain's subscription users, oldest first", async (store) => {
    const users = [userOf(p1), userOf(p2), userOf(p1)];
    const other = userOf(p3, "d2");
    for (const user of [...users, other]) {
      assert.equal(await store.addSubscriptionUser(user, 10), true);
    }
    const list = (book: AddressBook, offset: number, limit: number) =>
      store.listSubscriptionUsers(book, { offset, limit });
    const domain: AddressBook = { kind: "domain", domainId: "d1" };
    assert.deepEqual(await list(domain, 0, 10), { total: 3, items: users });
    assert.deepEqual(await list(domain, 1, 1), { total: 3, items: [users[1]] });
    assert.deepEqual(await list(domain, 3, 1), { total: 3, items: [] });
    assert.deepEqual(await list(bookOf(p1), 0, 10), {
      total: 2,
      items: [users[0], users[2]],
    });
    assert.deepEqual(await list(bookOf(p1), 1, 1), {
      total: 2,
      items: [users[2]],
    });
  });

  test("goes on behind a subscription user that was deleted since", async (store) => {
    const users = [userOf(p1), userOf(p1), userOf(p1)];
    for (const user of users) await store.addSubscriptionUser(user, 10);
    const [first, second, third] = users;
    assert.ok(first && second && third);
    const behind = async (marker: string, book = bookOf(p1)) =>
      (
        await store.listSubscriptionUsers(book, {
          offset: 1,
          limit: 10,
          marker,
        })
      ).items;
    assert.deepEqual(await behind(first.id), [second, third]);
    await store.deleteSubscriptionUser(bookOf(p1), first.id, start);
    await store.deleteSubscriptionUser(bookOf(p1), second.id, start);
    for (const book of [bookOf(p1), domainOf("d1")]) {
      assert.deepEqual(await behind(first.id, book), [third]);
      assert.deepEqual(await behind(second.id, book), [third]);
      assert.deepEqual(await behind(third.id, book), []);
      assert.deepEqual(await behind(freshId(), book), []);
    }
    for (const book of [bookOf(p2), domainOf("d2")]) {
      assert.deepEqual(await behind(first.id, book), []);
    }
  });

  test("takes as many subscription users as a project may have", async (store) => {
    const user = userOf(p1);
    assert.equal(await store.addSubscriptionUser(user, 1), true);
    assert.equal(await store.addSubscriptionUser(userOf(p1), 1), false);
    assert.equal(await store.addSubscriptionUser(userOf(p2), 1), true);
    await store.deleteSubscriptionUser(bookOf(p1), user.id, start);
    assert.equal(await store.addSubscriptionUser(userOf(p1), 1), true);
  });

  test("finds and deletes a subscription user in its own books only", async (store) => {
    for (const own of [bookOf(p1), domainOf("d1")]) {
      const user = userOf(p1);
      await store.addSubscriptionUser(user, 10);
      assert.deepEqual(await store.findSubscriptionUser(own, user.id), user);
      const remove = (book: AddressBook) =>
        store.deleteSubscriptionUser(book, user.id, start);
      for (const other of [bookOf(p2), domainOf("d2")]) {
        const { id } = user;
        assert.equal(await store.findSubscriptionUser(other, id), undefined);
        assert.equal(await remove(other), false);
      }
      assert.equal(await remove(own), true);
      assert.equal(await remove(own), false);
      assert.equal(await store.findSubscriptionUser(own, user.id), undefined);
    }
  });

  test("deletes a project's subscription users with it", async (store) => {
    await store.addSubscriptionUser(userOf(p1), 10);
    const kept = userOf(p2);
    await store.addSubscriptionUser(kept, 10);
    await store.deleteProject(p1, start);
    const { items } = await store.listSubscriptionUsers(domainOf("d1"), {
      offset: 0,
      limit: 10,
    });
    assert.deepEqual(items, [kept]);
  });
}

function bookOf(projectId: ProjectId): AddressBook {
  return { kind: "project", projectId };
}

function domainOf(domainId: string): AddressBook {
  return { kind: "domain", domainId };
}

function userOf(projectId: ProjectId, domainId = "d1"): SubscriptionUser {
  return {
    id: freshId(),
    projectId,
    domainId,
    name: "On call",
    protocol: "sms",
    endpoint: "+4915112345678",
    remark: "night",
    createdAt: start,
  };
}
