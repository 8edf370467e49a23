/**
 * What an application is told of its texts and of those that phones send, by
 * status URL, event topic and stream, from the carrier's word on.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  IncomingMessage,
  MessageDelivered,
  MessageError,
} from "@carillon/gateway";
import { tokenIn } from "../../test-support/test-server.ts";
import { startTextServer } from "../../test-support/text-server.ts";

type TextServer = Awaited<ReturnType<typeof startTextServer>>;

const phone = "+4915112345678";
const statusUrl = "https://app.test/outcomes";
const eventUrl = "https://app.test/events";

/** What a webhook was told by events, as far as it names one. */
function toldAt({ server }: TextServer, endpoint: string) {
  return server.sent.flatMap(({ message, recipient }) =>
    recipient.endpoint === endpoint && message.content.kind === "event"
      ? [JSON.parse(message.content.text)]
      : [],
  );
}

function eventAt(it: TextServer, endpoint: string, event: string) {
  return it.until(() =>
    toldAt(it, endpoint).find((told) => told.event === event),
  );
}

async function subscribeToEvents(it: TextServer): Promise<void> {
  const { server, call, base } = it;
  await call("POST", `${base}/topics`, { name: "carillon-events" });
  const topic = `${base}/topics/${server.topicUrn("carillon-events")}`;
  await call("POST", `${topic}/subscriptions`, {
    protocol: "https",
    endpoint: eventUrl,
  });
  const notice = await it.until(() => server.sent[0]);
  const token = tokenIn(notice.message.content);
  await server.app.inject({
    method: "GET",
    url: `/smn/subscription/confirm?token=${token}`,
  });
}

test("a receipt's own code and words come with the event, to URL and topic", async () => {
  await using it = await startTextServer();
  await subscribeToEvents(it);
  const id = await it.send({ text: "x".repeat(161), statusUrl });
  const sent = await eventAt(it, statusUrl, "delivery.sent");
  const delivery = {
    deliveryId: `${id}-0`,
    target: 0,
    attempts: 1,
    provider: "one",
    externalId: "one-1",
    segments: 2,
    protocol: "sms",
    endpoint: phone,
  };
  assert.deepEqual(sent.deliveries, [delivery]);
  await it.one.report(
    new MessageError("one-1", { statusCode: 27, status: "Absent subscriber" }),
  );
  const failed = await eventAt(it, statusUrl, "delivery.rejected");
  const [{ receipt, ...rest }] = failed.deliveries;
  assert.deepEqual(rest, delivery);
  assert.deepEqual(
    { ...receipt, at: Number.isNaN(Date.parse(receipt.at)) },
    { event: "reject", at: false, code: "27", text: "Absent subscriber" },
  );
  const atTopic = await eventAt(it, eventUrl, "delivery.rejected");
  assert.deepEqual(atTopic, failed);

  await it.send({ statusUrl });
  await eventAt(it, eventUrl, "delivery.sent");
  await it.given(it.one, 2);
  await it.until(() =>
    toldAt(it, statusUrl).filter(({ event }) => event === "delivery.sent")
      .length === 2
      ? true
      : undefined,
  );
  await it.one.report(new MessageDelivered("one-2"));
  const delivered = await eventAt(it, statusUrl, "delivery.delivered");
  assert.equal(delivered.deliveries[0].receipt.event, "deliver");
});

test("a phone's text comes to the event topic, and a reply to the text's own URL", async () => {
  await using it = await startTextServer();
  await subscribeToEvents(it);
  const bring = (from: string, msgid: string) =>
    it.two.bring(
      new IncomingMessage(from, "Yes please", { msgid, dst: "4915100000000" }),
    );
  await bring("4915187654321", "m1");
  const stranger = await eventAt(it, eventUrl, "inbound.received");
  const { inboundId, receivedAt, at, ...facts } = stranger;
  assert.deepEqual(facts, {
    event: "inbound.received",
    provider: "two",
    externalId: "m1",
    from: "+4915187654321",
    to: "+4915100000000",
    text: "Yes please",
    keyword: "YES",
  });
  assert.equal(receivedAt, at);
  const { body } = await it.call("GET", `/api/v2/inbound/${inboundId}`);
  assert.equal(body.text, "Yes please");

  const id = await it.send({ statusUrl });
  await eventAt(it, statusUrl, "delivery.sent");
  await bring(phone.slice(1), "m2");
  const reply = await eventAt(it, statusUrl, "inbound.received");
  assert.equal(reply.inReplyTo, id);
  assert.deepEqual(
    [reply.from, reply.text, reply.externalId],
    [phone, "Yes please", "m2"],
  );
  const both = await it.until(() => {
    const told = toldAt(it, eventUrl).filter(
      ({ event }) => event === "inbound.received",
    );
    return told.length === 2 ? told : undefined;
  });
  assert.deepEqual(both[1], reply);
  // The stranger's is nobody's reply.
  const told = toldAt(it, statusUrl).filter(
    ({ event }) => event === "inbound.received",
  );
  assert.equal(told.length, 1);
});

test("without an event topic a reply is told to the URL all the same", async () => {
  await using it = await startTextServer();
  const id = await it.send({ statusUrl });
  await it.given(it.one, 1);
  await it.one.bring(new IncomingMessage(phone, "No"));
  const reply = await eventAt(it, statusUrl, "inbound.received");
  assert.equal(reply.inReplyTo, id);
});
