/** Inbound messages and opt-outs in our own API. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type NewInboundMessage, toEpochMs } from "@carillon/core";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

const minute = 60_000;

async function keep(
  server: TestServer,
  n: number,
  inbound: Partial<NewInboundMessage> = {},
): Promise<string> {
  const id = n.toString(16).padStart(32, "0");
  await server.store.acceptInbound(
    {
      id,
      projectId: server.credentials.project.id,
      provider: "acme",
      from: "+4915112345678",
      text: `text ${n}`,
      receivedAt: toEpochMs(Date.UTC(2026, 0, 1) + n * minute),
      ...inbound,
    },
    undefined,
  );
  return id;
}

test("lists texts newest first, page by page", async () => {
  await using server = await startTestServer();
  const ids: string[] = [];
  for (let n = 1; n <= 5; n++) ids.unshift(await keep(server, n));
  const seen: string[] = [];
  let next: string | undefined;
  do {
    const query = next === undefined ? "" : `&before=${next}`;
    const { status, body } = await server.call(
      "GET",
      `/api/v2/inbound?limit=2${query}`,
    );
    assert.equal(status, 200);
    seen.push(...body.inbound.map(({ id }: { id: string }) => id));
    next = body.next;
  } while (next !== undefined);
  assert.deepEqual(seen, ids);
});

test("shows all that is known of a text", async () => {
  await using server = await startTestServer();
  const id = await keep(server, 1, {
    externalId: "x1",
    to: "12345",
    keyword: "TEXT",
  });
  const expected = {
    id,
    provider: "acme",
    externalId: "x1",
    from: "+4915112345678",
    to: "12345",
    text: "text 1",
    keyword: "TEXT",
    receivedAt: "2026-01-01T00:01:00.000Z",
  };
  const { body } = await server.call("GET", `/api/v2/inbound/${id}`);
  assert.deepEqual(body, expected);
  const list = await server.call("GET", "/api/v2/inbound");
  assert.deepEqual(list.body, { inbound: [expected] });
});

test("filters texts by phone, number and time", async () => {
  await using server = await startTestServer();
  await keep(server, 1, { to: "+4930123456" });
  await keep(server, 2, { from: "ACME" });
  await keep(server, 3, { from: "ACME", to: "+4930123456" });
  const list = async (query: string) => {
    const { body } = await server.call("GET", `/api/v2/inbound?${query}`);
    return body.inbound.map(({ text }: { text: string }) => text);
  };
  assert.deepEqual(await list("from=ACME"), ["text 3", "text 2"]);
  for (const from of ["+4915112345678", "%2B4915112345678", "4915112345678"]) {
    assert.deepEqual(await list(`from=${from}`), ["text 1"]);
  }
  assert.deepEqual(await list("to=4930123456"), ["text 3", "text 1"]);
  assert.deepEqual(await list("since=2026-01-01T00:02:00Z"), [
    "text 3",
    "text 2",
  ]);
  assert.deepEqual(await list("since=2026-01-01T01:03:00+01:00&from=ACME"), [
    "text 3",
  ]);
});

test("refuses what cannot be listed, and strangers", async () => {
  await using server = await startTestServer();
  for (const [path, status, code] of [
    ["?limit=0", 400, "PAGE_INVALID"],
    ["?before=x", 404, "INBOUND_NOT_FOUND"],
    ["?since=yesterday", 400, "REQUEST_INVALID"],
    ["?since=2026-02-30T00:00:00Z", 400, "REQUEST_INVALID"],
    ["/nothing", 404, "INBOUND_NOT_FOUND"],
    [`/${"0".repeat(32)}`, 404, "INBOUND_NOT_FOUND"],
  ] as const) {
    const answer = await server.call("GET", `/api/v2/inbound${path}`);
    assert.deepEqual([answer.status, answer.body.code], [status, code], path);
  }
  for (const url of ["/api/v2/inbound", "/api/v2/opt-outs"]) {
    assert.equal((await server.app.inject({ url })).statusCode, 401);
  }
  const { body } = await server.call("GET", "/api/v2/openapi.json");
  assert.ok(body.paths["/api/v2/inbound"].get);
  assert.ok(body.paths["/api/v2/opt-outs"].post);
});

test("adds, lists and takes back opt-outs", async () => {
  await using server = await startTestServer();
  const url = "/api/v2/opt-outs";
  const added = await server.call("POST", url, {
    recipient: "+4915112345678",
    sender: "Acme",
    keyword: "asked on the phone",
  });
  assert.deepEqual(
    [added.status, added.body],
    [
      201,
      {
        recipient: "+4915112345678",
        sender: "ACME",
        keyword: "asked on the phone",
        since: "2026-01-01T00:00:00.000Z",
      },
    ],
  );
  await server.call("POST", url, { recipient: "4915112345678" });
  await server.call("POST", url, { recipient: "4915199999999" });

  const first = await server.call("GET", `${url}?limit=2`);
  const rest = await server.call(
    "GET",
    `${url}?limit=2&after=${first.body.next}`,
  );
  assert.deepEqual(
    [...first.body.optOuts, ...rest.body.optOuts].map(
      ({ recipient, sender = "*" }) => `${recipient} ${sender}`,
    ),
    ["+4915112345678 *", "+4915112345678 ACME", "+4915199999999 *"],
  );
  assert.equal(rest.body.next, undefined);
  const own = await server.call("GET", `${url}?recipient=%2B4915199999999`);
  assert.equal(own.body.optOuts.length, 1);

  const path = `${url}/+4915112345678`;
  const remove = async (query = "") =>
    (await server.call("DELETE", `${path}${query}`)).status;
  assert.equal(await remove("?sender=acme"), 204);
  assert.equal(await remove("?sender=acme"), 404);
  assert.equal(await remove(), 204);
  assert.equal(await remove(), 404);
});

test("keeps a number as texts to it have it, however it is dialled", async () => {
  await using server = await startTestServer();
  const url = "/api/v2/opt-outs";
  const added = await server.call("POST", url, {
    recipient: "004915112345678",
    sender: "0049123",
  });
  assert.equal(added.status, 201);
  assert.equal(added.body.recipient, "+4915112345678");
  const kept = await server.store.findOptOuts("4915112345678");
  assert.deepEqual(
    kept.map(({ sender }) => sender),
    ["49123"],
  );
  const found = await server.call("GET", `${url}?recipient=004915112345678`);
  assert.equal(found.body.optOuts.length, 1);
  const removed = await server.call("DELETE", `${url}/004915112345678`);
  assert.equal(removed.status, 204);
});

test("refuses opt-outs of nobody", async () => {
  await using server = await startTestServer();
  for (const body of [
    {},
    { recipient: "me" },
    { recipient: "00" },
    { recipient: "4915112345678", sender: "!!" },
  ]) {
    const answer = await server.call("POST", "/api/v2/opt-outs", body);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.code, "OPT_OUT_INVALID");
  }
  const { body } = await server.call("GET", "/api/v2/opt-outs?after=x");
  assert.equal(body.code, "PAGE_INVALID");
});
