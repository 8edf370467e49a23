import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { meaningOf } from "../error-meaning.ts";
import {
  AuthError,
  MessageSendError,
  ProviderConnectionError,
  type ProviderError,
  RequestError,
} from "../errors.ts";
import { Gateway } from "../gateway.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
} from "../message-status.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { Provider } from "../provider.ts";
import { ProviderHealth } from "./provider-health.ts";

class Carrier extends Provider {
  error: ProviderError | undefined;
  #count = 0;
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    if (this.error) throw this.error;
    message.msgid = String(++this.#count);
    return message;
  }
  hand(status: MessageAccepted) {
    return this.receiveStatus(status);
  }
}

function setUp() {
  const clock = new ManualClock();
  const gateway = new Gateway({ clock });
  const health = new ProviderHealth(gateway, { clock });
  const carrier = gateway.addProvider("a", new Carrier());
  const send = async (error?: ProviderError) => {
    carrier.error = error;
    const message = new OutgoingMessage("+4915112345678", "Hi");
    message.options({ statusReport: true });
    await gateway.send(message).catch(() => {});
  };
  return { clock, gateway, health, carrier, send };
}

test("calls no text refused that may have gone out", async () => {
  const { health, send } = setUp();
  const cause = { code: "INVALID_ANSWER", outcomeUnknown: true };
  await send(new MessageSendError("no id", cause));
  const [error] = health.reportOf("a").errors;
  assert.ok(error);
  const { errorClass, code } = error;
  assert.deepEqual([errorClass, code], ["unknown", "INVALID_ANSWER"]);
  assert.match(meaningOf(undefined, code, errorClass), /may have gone out/);
});

test("counts what became of attempts, by the minute and in all", async () => {
  const { clock, health, send } = setUp();
  await send();
  clock.advance(10 * 60_000);
  await send(new AuthError("no", { code: 7 }));
  await send(new RequestError("bad number"));
  await send(new ProviderConnectionError("cut", { outcomeUnknown: true }));
  const report = health.reportOf("a");
  assert.deepEqual(report.lastFiveMinutes, {
    attempts: 3,
    accepted: 0,
    failed: 2,
    faults: 2,
    unknown: 1,
  });
  assert.equal(report.lastHour.attempts, 4);
  assert.equal(report.lastHour.accepted, 1);
  clock.advance(60 * 60_000);
  await send();
  const later = health.reportOf("a");
  assert.equal(later.lastHour.attempts, 1);
  assert.equal(later.sinceStart.attempts, 5);
  assert.equal(later.lastAcceptedAt, clock.now());
  assert.deepEqual(later.latencyMs, { p50: 0, p95: 0, max: 0 });
});

test("counts errors by code and class, the newest first, fifty at most", async () => {
  const { clock, health, carrier, send } = setUp();
  await send(new AuthError("no", { code: 7 }));
  await send(new AuthError("no", { code: 7 }));
  clock.advance(1000);
  const failed = new MessageError("x", { statusCode: 30003 });
  await carrier.hand(failed);
  assert.deepEqual(health.reportOf("a").errors, [
    {
      code: 30003,
      errorClass: "receipt",
      count: 1,
      lastAt: clock.now(),
    },
    {
      code: 7,
      errorClass: "AuthError",
      count: 2,
      lastAt: clock.now() - 1000,
    },
  ]);
  for (let code = 100; code < 200; code++) {
    await send(new AuthError("no", { code }));
  }
  const { errors } = health.reportOf("a");
  assert.equal(errors.length, 50);
  assert.equal(errors[0]?.code, 199);
});

test("counts texts that got a final receipt, also one that came early", async () => {
  const { health, carrier, send } = setUp();
  await carrier.hand(new MessageDelivered("1"));
  await send();
  await send();
  await carrier.hand(new MessageAccepted("2"));
  const before = health.reportOf("a");
  assert.deepEqual(before.receiptShare, { expected: 2, final: 1 });
  await carrier.hand(new MessageDelivered("2"));
  await carrier.hand(new MessageDelivered("2"));
  const { receiptShare, receipts } = health.reportOf("a");
  assert.deepEqual(receiptShare, { expected: 2, final: 2 });
  assert.equal(receipts, 4);
});

test("forgets providers that are gone", async () => {
  const { gateway, health, send } = setUp();
  await send();
  await gateway.removeProvider("a");
  gateway.addProvider("b", new Carrier());
  await gateway.send(new OutgoingMessage("+4915112345678", "Hi"));
  assert.equal(health.reportOf("a").sinceStart.attempts, 0);
  assert.equal(health.reportOf("b").sinceStart.attempts, 1);
});
