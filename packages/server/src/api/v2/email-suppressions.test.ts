import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DeliveryId,
  mailPartId,
  parseDeliveryId,
  toEpochMs,
} from "@carillon/core";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

const path = "/api/v2/email-suppressions";
const at = toEpochMs(Date.UTC(2026, 0, 1));

function call(
  { app, authorization }: TestServer,
  method: "GET" | "POST" | "DELETE",
  url: string,
  payload?: object,
) {
  return app.inject({
    method,
    url,
    headers: { authorization },
    ...(payload && { payload }),
  });
}

test("adds an address, finds it however it is written, and removes it", async () => {
  await using server = await startTestServer();
  const detail = "by letter";
  const address = "Ann@Example.COM";
  const added = await call(server, "POST", path, { address, detail });
  assert.equal(added.statusCode, 201);
  const { since, ...body } = added.json();
  assert.deepEqual(body, { address, reason: "manual", detail, count: 1 });
  assert.match(since, /^\d{4}-.*Z$/);
  const found = await call(server, "GET", `${path}?address=ANN@example.com`);
  assert.deepEqual(found.json(), { suppressions: [added.json()] });
  const again = await call(server, "POST", path, { address });
  assert.equal(again.json().count, 2);
  const one = `${path}/ann@EXAMPLE.com`;
  assert.equal((await call(server, "DELETE", one)).statusCode, 204);
  const gone = await call(server, "DELETE", one);
  assert.equal(gone.statusCode, 404);
  assert.equal(gone.json().code, "SUPPRESSION_NOT_FOUND");
});

test("lists page by page", async () => {
  await using server = await startTestServer();
  for (const name of ["c", "a", "b"]) {
    const address = `${name}@example.com`;
    await call(server, "POST", path, { address });
  }
  const first = (await call(server, "GET", `${path}?limit=2`)).json();
  assert.deepEqual(
    first.suppressions.map((one: { address: string }) => one.address),
    ["a@example.com", "b@example.com"],
  );
  const rest = await call(server, "GET", `${path}?limit=2&after=${first.next}`);
  assert.equal(rest.json().suppressions.length, 1);
  assert.equal(rest.json().next, undefined);
});

test("says what is no mail address", async () => {
  await using server = await startTestServer();
  for (const address of ["ann", "ann@", "@b.example", "a b@c.example", 7]) {
    const answer = await call(server, "POST", path, { address });
    assert.equal(answer.statusCode, 400);
    assert.equal(answer.json().code, "SUPPRESSION_ADDRESS_INVALID");
  }
  const list = await call(server, "GET", path);
  assert.deepEqual(list.json().suppressions, []);
});

test("tells what was reported of a mail, as it came", async () => {
  await using server = await startTestServer();
  const { store } = server;
  const published = await call(server, "POST", "/api/v2/messages", {
    audience: {
      kind: "direct",
      recipients: [{ protocol: "email", endpoint: "ann@example.com" }],
    },
    text: "News",
  });
  const { id: messageId } = published.json();
  const id = parseDeliveryId(`${messageId}-0`);
  assert.ok(id, published.body);
  const found = await store.findMailTarget(id.message, 0);
  assert.ok(found);
  await store.recordMailEvent(
    {
      event: "bounced",
      hard: true,
      at,
      receivedAt: at,
      code: "5.1.1",
      diagnostic: "no such user",
      raw: "Action: failed",
      messageSeq: found.messageSeq,
      target: 0,
      projectId: found.projectId,
      entry: "email",
      externalId: mailPartId(id.message, 0),
      suppressionKey: "ann@example.com",
      fingerprint: "1",
    },
    {
      address: "ann@example.com",
      deliveryId: `${messageId}-0` as DeliveryId,
      softBounces: { count: 0, windowMs: 1 },
    },
  );
  const url = `/api/v2/deliveries/${messageId}-0/mail-events`;
  assert.deepEqual((await call(server, "GET", url)).json(), {
    events: [
      {
        event: "bounced",
        hard: true,
        at: "2026-01-01T00:00:00.000Z",
        receivedAt: "2026-01-01T00:00:00.000Z",
        code: "5.1.1",
        diagnostic: "no such user",
        raw: "Action: failed",
      },
    ],
  });
  const list = (await call(server, "GET", path)).json();
  assert.equal(list.suppressions[0].deliveryId, `${messageId}-0`);
  for (const other of [
    url.replace(messageId, "f".repeat(32)),
    url.replace("-0/", "-99/"),
    url.replace("-0/", "/"),
  ]) {
    const answer = await call(server, "GET", other);
    assert.equal(answer.json().code, "DELIVERY_NOT_FOUND", other);
  }
});
