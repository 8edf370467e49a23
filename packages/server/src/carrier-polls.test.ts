/** A carrier that calls nobody, in a server composed with it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLinks, createSmsChannel } from "@carillon/channels";
import { silentLogger } from "@carillon/core";
import {
  Gateway,
  LimitsError,
  MessageAccepted,
  MessageDelivered,
  MessageExpired,
  type MessageStatus,
  type OutgoingMessage,
  Provider,
} from "@carillon/gateway";
import { startTestServer, testKey } from "../test-support/test-server.ts";
import { createSubscriptionTokens } from "./subscription-tokens.ts";

/** Gives texts the numbers they go to as ids, and says what is set for them. */
class PolledProvider extends Provider {
  override get polling() {
    return { firstAfterMs: 30_000, batchSize: 10 };
  }
  readonly states = new Map<string, (id: string) => MessageStatus>();
  readonly questions: (readonly string[])[] = [];
  problem: Error | undefined;

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    message.providerOptions.statusReport = false;
    message.msgid = message.dst;
    return message;
  }

  override async fetchStatuses(
    msgids: readonly string[],
  ): Promise<readonly MessageStatus[]> {
    this.questions.push(msgids);
    if (this.problem) throw this.problem;
    return msgids.flatMap((id) => this.states.get(id)?.(id) ?? []);
  }

  /** The carrier calls after all. */
  async push(id: string): Promise<void> {
    await this.receiveStatus(new MessageDelivered(id, { status: "DELIVRD" }));
  }
}

async function setUp() {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("acme", new PolledProvider());
  const sms = createSmsChannel({
    gateway,
    links: createLinks({
      publicUrl: () => "https://notify.example",
      tokens: createSubscriptionTokens(testKey),
      region: "test-1",
    }),
    logger: silentLogger,
  });
  const server = await startTestServer({ gateway, texts: sms });
  async function send(phone: string): Promise<string> {
    const { body } = await server.call("POST", `${server.base}/sms`, {
      endpoint: phone,
      message: "Hello",
    });
    await server.clock.advanceSettled(10);
    return body.message_id;
  }
  async function deliveryOf(id: string) {
    const path = `/api/v2/messages/${id}/deliveries`;
    const { body } = await server.call("GET", path);
    return body.deliveries[0];
  }
  return { server, carrier, gateway, send, deliveryOf };
}

test("texts are asked about until each has its end, and metrics count it", async () => {
  const { server, carrier, send, deliveryOf } = await setUp();
  await using _ = server;
  const sent = await send("+15550100001");
  const late = await send("+15550100002");
  const pushed = await send("+15550100003");
  const first = await deliveryOf(sent);
  assert.equal(first.state, "sent");
  assert.equal(first.receiptExpected, true);
  assert.ok(Date.parse(first.pollAt) > server.clock.now());

  await carrier.push("15550100003");
  carrier.states.set(
    "15550100001",
    (id) => new MessageDelivered(id, { statusCode: 23, status: "Delivered" }),
  );
  carrier.states.set("15550100002", (id) => new MessageAccepted(id));
  await server.clock.advanceSettled(40_000);
  assert.deepEqual(carrier.questions.flat(), ["15550100001", "15550100002"]);
  const delivered = await deliveryOf(sent);
  assert.equal(delivered.state, "delivered");
  assert.equal(delivered.pollAt, undefined);
  assert.equal((await deliveryOf(pushed)).state, "delivered");
  assert.equal((await deliveryOf(late)).state, "sent");

  carrier.states.set("15550100002", (id) => new MessageExpired(id));
  await server.clock.advanceSettled(90_000);
  assert.equal((await deliveryOf(late)).state, "expired");
  await server.clock.advanceSettled(600_000);
  assert.equal(carrier.questions.flat().length, 3);
  const { body } = await server.call("GET", "/metrics");
  for (const [outcome, count] of [
    ["final", 2],
    ["open", 1],
    ["missing", 0],
    ["failed", 0],
  ] as const) {
    assert.ok(
      body.includes(
        `carillon_polls_total{provider="acme",outcome="${outcome}"} ${count}\n`,
      ),
      outcome,
    );
  }
});

test("a carrier that is busy, and then gone, is asked when it is back", async () => {
  const { server, carrier, gateway, send, deliveryOf } = await setUp();
  await using _ = server;
  const id = await send("+15550100001");
  carrier.problem = new LimitsError("slow down", { retryAfterMs: 300_000 });
  await server.clock.advanceSettled(300_000);
  assert.equal(carrier.questions.length, 1);
  assert.deepEqual(
    server.complaints.map(({ event, fields }) => [event, fields.provider]),
    [["poll_failed", "acme"]],
  );
  await gateway.removeProvider("acme");
  await server.clock.advanceSettled(1_000_000);
  assert.equal((await deliveryOf(id)).state, "sent");
  const next = gateway.addProvider("acme", new PolledProvider());
  next.states.set("15550100001", (msgid) => new MessageDelivered(msgid));
  await server.clock.advanceSettled(3_600_000);
  assert.equal((await deliveryOf(id)).state, "delivered");
});
