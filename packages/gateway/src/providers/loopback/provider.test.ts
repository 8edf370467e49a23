import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "../../gateway.ts";
import type { IncomingMessage } from "../../incoming-message.ts";
import {
  MessageAccepted,
  MessageDelivered,
  type MessageStatus,
} from "../../message-status.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { type LoopbackMessage, LoopbackProvider } from "./provider.ts";

type Event = OutgoingMessage | IncomingMessage | MessageStatus;

function setUp() {
  const gateway = new Gateway();
  const loopback = gateway.addProvider("lo", new LoopbackProvider());
  const events: Event[] = [];
  const note = (event: Event) => void events.push(event);
  gateway.onSend.add(note);
  gateway.onReceive.add(note);
  gateway.onStatus.add(note);
  return { gateway, loopback, events };
}

const withStatus = { statusReport: true };

test("an unknown number accepts silently", async () => {
  const { gateway, loopback, events } = setUp();
  const message = await gateway.send(new OutgoingMessage("0", "hi"));
  assert.deepEqual(loopback.takeTraffic(), [message]);
  assert.deepEqual(events, [message]);
});

test("an unknown number with a status is accepted, not delivered", async () => {
  const { gateway, loopback, events } = setUp();
  const message = await gateway.send(
    new OutgoingMessage("0", "hi").options(withStatus),
  );
  const [status, sent] = events;
  assert.equal(sent, message);
  assert.ok(status instanceof MessageAccepted);
  assert.equal(status.kind, "accepted");
  assert.equal(status.msgid, message.msgid);
  assert.equal(status.status, "OK");
  assert.equal(status.statusCode, null);
  assert.equal(status.provider, "lo");
  assert.deepEqual(loopback.takeTraffic(), [message]);
});

test("a known number gets the message, and its status is delivered", async () => {
  const { gateway, loopback, events } = setUp();
  const inbox: LoopbackMessage[] = [];
  loopback.subscribe("++3", (message) => void inbox.push(message));
  const message = await gateway.send(
    new OutgoingMessage("+3", "hi").options(withStatus),
  );
  assert.deepEqual(inbox, [message]);
  assert.equal(inbox[0]?.src, null);
  assert.ok(events[0] instanceof MessageDelivered);
  assert.deepEqual([...events[0].states], ["accepted", "delivered"]);
  assert.equal(events[1], message);
});

test("a reply comes before the status, and both before onSend", async () => {
  const { gateway, loopback, events } = setUp();
  loopback.subscribe("3", (message) => message.reply("yes"));
  const message = await gateway.send(
    new OutgoingMessage("3", "hi?").options(withStatus),
  );
  const [reply, status, sent] = events;
  const [first, second] = loopback.takeTraffic();
  assert.equal(first, message);
  assert.equal(second, reply);
  assert.ok(reply && "rtime" in reply && "body" in reply);
  assert.equal(reply.src, "3");
  assert.equal(reply.body, "yes");
  assert.equal(reply.dst, null);
  assert.equal(reply.msgid, "2");
  assert.equal(reply.provider, "lo");
  assert.ok(status instanceof MessageDelivered);
  assert.equal(sent, message);
});

test("no reply leaves when the message does not allow any", async () => {
  const { gateway, loopback, events } = setUp();
  loopback.subscribe("3", (message) => message.reply("yes"));
  const message = await gateway.send(
    new OutgoingMessage("3", "hi").options({ allowReply: false }),
  );
  assert.deepEqual(loopback.takeTraffic(), [message]);
  assert.deepEqual(events, [message]);
});

test("a subscriber that throws fails the send; the traffic keeps it", async () => {
  const { gateway, loopback, events } = setUp();
  const failure = new Error("dropped");
  loopback.subscribe("3", () => Promise.reject(failure));
  const message = new OutgoingMessage("3", "hi").options(withStatus);
  await assert.rejects(gateway.send(message), (error) => error === failure);
  assert.deepEqual(events, []);
  assert.deepEqual(loopback.takeTraffic(), [message]);
});

test("the second subscriber of a number replaces the first", async () => {
  const { gateway, loopback } = setUp();
  const reached: string[] = [];
  loopback
    .subscribe("3", () => void reached.push("first"))
    .subscribe("+3", () => void reached.push("second"));
  await gateway.send(new OutgoingMessage("3", "hi"));
  loopback.unsubscribe("3");
  await gateway.send(new OutgoingMessage("3", "hi"));
  assert.deepEqual(reached, ["second"]);
});

test("received plays a phone, and shares the counter", async () => {
  const { gateway, loopback, events } = setUp();
  await gateway.send(new OutgoingMessage("0", "hi"));
  const message = await loopback.received("+1 111", "Yo");
  assert.equal(message.msgid, "2");
  assert.equal(message.src, "1111");
  assert.equal(message.dst, null);
  assert.equal(events[1], message);
  assert.equal(loopback.takeTraffic().length, 2);
  assert.deepEqual(loopback.takeTraffic(), []);
});

test("a failing hook fails received; the traffic has the text", async () => {
  const { gateway, loopback } = setUp();
  gateway.onReceive.add(() => {
    throw new RangeError("no");
  });
  await assert.rejects(loopback.received("1", "Yo"), RangeError);
  assert.equal(loopback.takeTraffic().length, 1);
});

test("a failing status hook fails the send", async () => {
  const { gateway } = setUp();
  gateway.onStatus.add(() => {
    throw new RangeError("no");
  });
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi").options(withStatus)),
    RangeError,
  );
});
