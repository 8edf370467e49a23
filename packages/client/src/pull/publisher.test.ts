/** A publisher of the Notipy protocol, and of what Carillon has beyond it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidResponseError } from "../errors.ts";
import { serve, unusedUrl } from "../testing/serve.ts";
import { Publisher } from "./publisher.ts";

const account = { id: "p1", secret: "secret" } as const;
const counts = { success: 3, fail: 1, failed: 1, total: 4 };

test("publishes to all, to a category, and to several", async () => {
  await using server = await serve(() => ({ body: counts }));
  const publisher = new Publisher({ ...account, baseUrl: server.url });
  const response = await publisher.publish("Disk is full");
  await publisher.publish("Disk is full", "disks");
  await publisher.publish("Disk is full", ["disks", "hosts"]);
  assert.deepEqual({ ...response }, { passed: 3, failed: 1, total: 4 });
  assert.equal(response.passedPercent(), 75);
  assert.equal(response.failedPercent(), 25);
  const message = "Disk is full";
  assert.deepEqual(
    server.requests.map(({ method, path, json }) => [method, path, json]),
    ["*", "disks", ["disks", "hosts"]].map((category) => [
      "POST",
      "/api/v1/notification",
      { message, category },
    ]),
  );
  assert.equal(
    server.requests[0]?.headers.authorization,
    `Basic ${btoa("p1:secret")}`,
  );
});

test("reads the counts of any such service", async () => {
  for (const [body, expected] of [
    [{ success: 2, fail: 1, total: 3 }, [2, 1, 3]],
    [{ success: 2, failed: 1, total: 3 }, [2, 1, 3]],
    [{ success: 2, fail: 1 }, [2, 1, 3]],
    [{ success: 0, fail: 0, failed: 0, total: 0 }, [0, 0, 0]],
  ] as const) {
    await using server = await serve(() => ({ body }));
    const publisher = new Publisher({ ...account, baseUrl: server.url });
    const response = await publisher.publish("x");
    const { passed, failed, total } = response;
    assert.deepEqual([passed, failed, total], expected);
    if (total === 0) {
      assert.equal(response.passedPercent(), 0);
      assert.equal(response.failedPercent(), 0);
    }
  }
});

for (const [status, name] of [
  [404, "InvalidCredentialsError"],
  [200, "FailedToSendMessageError"],
  [201, "FailedToSendMessageError"],
  [401, "FailedToSendMessageError"],
  [503, "FailedToSendMessageError"],
] as const) {
  test(`says of ${status} that it is a ${name}, after one request`, async () => {
    await using server = await serve(() => ({ status, body: "too bad" }));
    const publisher = new Publisher({ ...account, baseUrl: server.url });
    await assert.rejects(publisher.publish("x"), {
      name,
      status,
      text: "too bad",
    });
    assert.equal(server.requests.length, 1);
  });
}

test("wraps what the network does, and sends nothing twice", async () => {
  const nowhere = new Publisher({ ...account, baseUrl: await unusedUrl() });
  await assert.rejects(nowhere.publish("x"), {
    name: "FailedToSendMessageError",
    status: undefined,
  });
  await using server = await serve(() => "drop");
  const publisher = new Publisher({ ...account, baseUrl: server.url });
  await assert.rejects(publisher.publish("x"), {
    code: "FAILED_TO_SEND_MESSAGE",
  });
  assert.equal(server.requests.length, 1);
});

test("publishes all that a message may carry, and once", async () => {
  let requests = 0;
  await using server = await serve(() =>
    requests++ === 0
      ? "drop"
      : {
          body: { id: "m1", ...counts },
          headers: { "idempotency-replayed": "true" },
        },
  );
  const retry = { baseDelayMs: 1 };
  const publisher = new Publisher({ ...account, baseUrl: server.url, retry });
  const published = await publisher.publishMessage(
    {
      message: "Disk is full",
      categories: ["disks"],
      extraData: { disk: "sda" },
      orderingKey: "sda",
      notBefore: new Date("2026-12-24T08:00:00Z"),
      expiresAt: "2026-12-25T08:00:00Z",
    },
    { idempotencyKey: "k1" },
  );
  assert.deepEqual(published, {
    id: "m1",
    passed: 3,
    failed: 1,
    total: 4,
    isReplayed: true,
  });
  const [first, second] = server.requests;
  assert.equal(first?.path, "/api/v2/publishers/p1/messages");
  assert.equal(second?.headers["idempotency-key"], "k1");
  assert.deepEqual(second?.json, {
    message: "Disk is full",
    categories: ["disks"],
    extraData: { disk: "sda" },
    orderingKey: "sda",
    notBefore: "2026-12-24T08:00:00.000Z",
    expiresAt: "2026-12-25T08:00:00Z",
  });
});

test("a delayed message is answered without counts; without an id, too, that is no answer", async () => {
  const bodies = [{ id: "m1" }, {}];
  await using server = await serve(() => ({ body: bodies.shift() }));
  const publisher = new Publisher({ ...account, baseUrl: server.url });
  assert.deepEqual(
    await publisher.publishMessage({ message: "x", delayMs: 1000 }),
    { id: "m1", isReplayed: false },
  );
  await assert.rejects(
    publisher.publishMessage({ message: "x" }),
    InvalidResponseError,
  );
});
