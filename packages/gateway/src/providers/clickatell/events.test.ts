import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvents } from "./events.ts";

const now = 1_700_000_000_000;

function read(body: string | Uint8Array, type = "application/json") {
  const rawBody = typeof body === "string" ? Buffer.from(body) : body;
  return readEvents({ headers: { "content-type": type }, rawBody }, now);
}

const report = {
  channel: "sms",
  messageId: "m1",
  clientMessageId: "c1",
  timestamp: 1_506_607_698_000,
  statusCode: 5,
  status: "DEVICE_ACK",
};

test("reads reports from a list, and one that stands in its place", () => {
  const first = { ...report, statusCode: 2, status: "QUEUED" };
  for (const [update, kinds] of [
    [
      [first, report],
      ["accepted", "delivered"],
    ],
    [report, ["delivered"]],
    [[], []],
  ] as const) {
    const event = { messageStatusUpdate: update };
    const { statuses, messages } = read(JSON.stringify({ event }));
    assert.deepEqual(
      statuses.map(({ kind }) => kind),
      kinds,
    );
    assert.deepEqual(messages, []);
    const last = statuses.at(-1);
    if (!last) continue;
    assert.equal(last.rtime.getTime(), report.timestamp);
    assert.deepEqual(
      [last.msgid, last.statusCode, last.status, last.meta],
      ["m1", 5, "DEVICE_ACK", { channel: "sms", clientMessageId: "c1" }],
    );
  }
});

test("takes events and fields that it does not know", () => {
  for (const event of [
    {},
    { moMedia: [{ messageId: "1" }] },
    { moText: null, somethingNew: 7 },
    { messageStatusUpdate: [{ ...report, price: { amount: 1 } }] },
  ]) {
    const { statuses, messages } = read(
      JSON.stringify({ integrationId: "1", other: true, event }),
    );
    const hasReport = "messageStatusUpdate" in event;
    assert.equal(statuses.length, hasReport ? 1 : 0);
    assert.deepEqual(messages, []);
  }
});

test("reads the older platform's report, in JSON and from a form", () => {
  const flat = {
    integrationName: "Test",
    messageId: "m1",
    requestId: "q1",
    clientMessageId: "c1",
    to: "491510000000",
    from: "12027530410",
    statusCode: "23",
    status: "DELIVERY_FAILURE",
    statusDescription: "Ünreachable",
    timestamp: "1506607698000",
  };
  const form = "application/x-www-form-urlencoded";
  const inCodes = { ...flat, statusCode: 23, timestamp: 1_506_607_698_000 };
  for (const { statuses } of [
    read(JSON.stringify(flat)),
    read(JSON.stringify(inCodes), "text/plain"),
    read(String(new URLSearchParams(flat)), form),
    read(String(new URLSearchParams(flat)), `${form}; charset=UTF-8`),
  ]) {
    const [status] = statuses;
    assert.equal(statuses.length, 1);
    assert.deepEqual(
      [status?.kind, status?.msgid, status?.statusCode],
      ["error", "m1", 23],
    );
    assert.equal(status?.rtime.getTime(), report.timestamp);
    assert.deepEqual(status?.meta, {
      clientMessageId: "c1",
      requestId: "q1",
      statusDescription: "Ünreachable",
      to: "491510000000",
      from: "12027530410",
    });
  }
});

test("takes the present for a time that is none", () => {
  for (const timestamp of [undefined, null, "", "soon", 1e300, {}, "-1"]) {
    const event = { messageStatusUpdate: { ...report, timestamp } };
    const { statuses } = read(JSON.stringify({ event }));
    assert.equal(statuses[0]?.rtime.getTime(), now);
  }
});

test("reads JSON in its own charset", () => {
  const text = { messageId: "1", from: "491511234567", content: "Žluť" };
  const body = Buffer.from(
    JSON.stringify({ event: { moText: text } }),
    "utf16le",
  );
  const { messages } = read(body, "application/json; charset=utf-16le");
  assert.equal(messages[0]?.body, "Žluť");
});
