import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ForbiddenError,
  InvalidOptionsError,
  RequestTimeoutError,
} from "../errors.ts";
import { confirmationFields, createSender } from "../testing/sender.ts";
import { serve } from "../testing/serve.ts";
import { confirmSubscription } from "./confirm.ts";
import { verifyNotification } from "./verify.ts";

const sender = createSender();

async function invitation(url: string) {
  const body = sender.sign(confirmationFields(url));
  const { certificate } = sender;
  const message = await verifyNotification(body, { certificate });
  assert.ok(message.type === "SubscriptionConfirmation");
  return message;
}

test("follows the link of a verified message", async () => {
  await using server = await serve(() => ({ body: { subscription_urn: "u" } }));
  const url = `${server.url}/smn/subscription/confirm?token=t`;
  await confirmSubscription(await invitation(url));
  const [request] = server.requests;
  assert.equal(request?.method, "GET");
  assert.equal(request?.query.get("token"), "t");
  // Asks for the act, not for the page that a person gets.
  assert.equal(request?.headers.accept, "application/json");
});

test("follows no link of a message that is not verified", async () => {
  await using server = await serve(() => ({ body: {} }));
  const message = await invitation(server.url);
  await assert.rejects(
    confirmSubscription({ ...message }),
    InvalidOptionsError,
  );
  assert.equal(server.requests.length, 0);
});

test("says when the link has expired", async () => {
  await using server = await serve(() => ({
    status: 403,
    body: { message: "The link has expired" },
  }));
  const message = await invitation(server.url);
  await assert.rejects(confirmSubscription(message), (error) => {
    assert.ok(error instanceof ForbiddenError);
    assert.match(error.message, /The link has expired/);
    return true;
  });
});

test("gives up on an answer that does not come", async () => {
  await using server = await serve(() => "hang");
  const message = await invitation(server.url);
  await assert.rejects(
    confirmSubscription(message, { timeoutMs: 30 }),
    RequestTimeoutError,
  );
  const signal = AbortSignal.timeout(30);
  await assert.rejects(confirmSubscription(message, { signal }), {
    name: "TimeoutError",
  });
});
