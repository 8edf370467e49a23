import assert from "node:assert/strict";
import type { SubscriptionUser } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { freshId, start } from "./fixtures.ts";

export function testSubscriptionUsers({ test }: Cases): void {
  test("lists a domain's subscription users, oldest first", async (store) => {
    const users = [userOf("d1"), userOf("d1"), userOf("d1")];
    const other = userOf("d2");
    for (const user of [...users, other]) {
      assert.equal(await store.addSubscriptionUser(user, 10), true);
    }
    const list = (offset: number, limit: number) =>
      store.listSubscriptionUsers("d1", { offset, limit });
    assert.deepEqual(await list(0, 10), { total: 3, items: users });
    assert.deepEqual(await list(1, 1), { total: 3, items: [users[1]] });
    assert.deepEqual(await list(3, 1), { total: 3, items: [] });
  });

  test("goes on behind a subscription user that was deleted since", async (store) => {
    const users = [userOf("d1"), userOf("d1"), userOf("d1")];
    for (const user of users) await store.addSubscriptionUser(user, 10);
    const behind = async (marker: string, domainId = "d1") =>
      (
        await store.listSubscriptionUsers(domainId, {
          offset: 1,
          limit: 10,
          marker,
        })
      ).items;
    const [first, second, third] = users;
    assert.ok(first && second && third);
    assert.deepEqual(await behind(first.id), [second, third]);
    await store.deleteSubscriptionUser("d1", first.id, start);
    await store.deleteSubscriptionUser("d1", second.id, start);
    assert.deepEqual(await behind(first.id), [third]);
    assert.deepEqual(await behind(second.id), [third]);
    assert.deepEqual(await behind(third.id), []);
    assert.deepEqual(await behind(freshId()), []);
    assert.deepEqual(await behind(first.id, "d2"), []);
  });

  test("takes as many subscription users as a domain may have", async (store) => {
    const user = userOf("d1");
    assert.equal(await store.addSubscriptionUser(user, 1), true);
    assert.equal(await store.addSubscriptionUser(userOf("d1"), 1), false);
    assert.equal(await store.addSubscriptionUser(userOf("d2"), 1), true);
    await store.deleteSubscriptionUser("d1", user.id, start);
    assert.equal(await store.addSubscriptionUser(userOf("d1"), 1), true);
  });

  test("finds and deletes a subscription user in its own domain only", async (store) => {
    const user = userOf("d1");
    await store.addSubscriptionUser(user, 10);
    assert.deepEqual(await store.findSubscriptionUser("d1", user.id), user);
    assert.equal(await store.findSubscriptionUser("d2", user.id), undefined);
    assert.equal(
      await store.deleteSubscriptionUser("d2", user.id, start),
      false,
    );
    assert.equal(
      await store.deleteSubscriptionUser("d1", user.id, start),
      true,
    );
    assert.equal(
      await store.deleteSubscriptionUser("d1", user.id, start),
      false,
    );
    assert.equal(await store.findSubscriptionUser("d1", user.id), undefined);
  });
}

function userOf(domainId: string): SubscriptionUser {
  return {
    id: freshId(),
    domainId,
    name: "On call",
    protocol: "sms",
    endpoint: "+4915112345678",
    remark: "night",
    createdAt: start,
  };
}
