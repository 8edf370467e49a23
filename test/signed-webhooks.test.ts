/**
 * Subscriptions with a signature of their own, from `carillon serve` to a
 * receiver in another process that verifies with other people's code.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  type Carillon,
  confirmSubscription,
  connect,
  type Signature,
  type SignatureChoice,
  type Smn,
  type TopicReference,
  verifyNotification,
  verifyWebhook,
} from "@carillon/client";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import {
  type SignedRequest,
  type SignedWebhookProcess,
  startSignedWebhooks,
} from "./harness/signed-webhook-process.ts";
import { until } from "./harness/until.ts";

let data: string;
let server: CarillonProcess;
let receiver: SignedWebhookProcess;
let smn: Smn;
let carillon: Carillon;

before(async () => {
  data = await mkdtemp(join(tmpdir(), "carillon-signed-"));
  receiver = await startSignedWebhooks();
  await startServer();
});

after(async () => {
  await server?.kill();
  await receiver?.[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

async function startServer(): Promise<void> {
  server = await CarillonProcess.start({ data });
  const { accessKey, secretKey, projectId } = credentials;
  const endpoint = server.url;
  const keys = { endpoint, accessKey, secretKey, projectId };
  ({ smn, carillon } = connect(keys));
}

test("a confirmation, what is published and a retry are each signed anew", async () => {
  const { topic, path, key } = await subscribe("retry", {
    scheme: "standard-webhooks",
  });
  await receiver.call("failNext", path, 1);
  const { messageId } = await smn.publishMessage(topic, {
    message: "Grüße 👋",
  });
  const attempts = await notificationsTo(path, 2);
  assert.deepEqual(
    attempts.map(({ status, verifiedBy }) => [status, verifiedBy]),
    [
      [503, [key]],
      [200, [key]],
    ],
  );
  const [first, second] = attempts.map(({ headers }) => headers);
  assert.equal(first?.["webhook-id"], messageId);
  assert.equal(second?.["webhook-id"], messageId);
  const waited =
    Number(second?.["webhook-timestamp"]) -
    Number(first?.["webhook-timestamp"]);
  assert.ok(waited >= 4, `${waited} s between the attempts`);
  assert.notEqual(second?.["webhook-signature"], first?.["webhook-signature"]);
  for (const { body, headers } of attempts) {
    const received = await verifyWebhook(body, headers, { key });
    assert.equal(received.message, "Grüße 👋");
  }
});

test("rotation in mid-stream loses nothing; the former key ends", async () => {
  const { topic, path, key, urn } = await subscribe("rotation", {
    scheme: "standard-webhooks",
  });
  await smn.publishMessage(topic, { message: "before" });
  await notificationsTo(path, 1);
  // The receiver knows the old key only.
  const during = await carillon.signatures.rotate(urn, { overlapSeconds: 60 });
  await smn.publishMessage(topic, { message: "during" });
  const [, second] = await notificationsTo(path, 2);
  assert.deepEqual([second?.status, second?.verifiedBy], [200, [key]]);
  const [fresh] = secretsOf(during);
  assert.ok(fresh);
  await receiver.call("setKeys", path, [key, fresh]);
  await smn.publishMessage(topic, { message: "both" });
  const [, , third] = await notificationsTo(path, 3);
  assert.deepEqual(third?.verifiedBy, [key, fresh]);
  const after = await carillon.signatures.rotate(urn, {
    algorithm: "ed25519",
    overlapSeconds: 0,
  });
  const [last] = secretsOf(after);
  assert.match(last ?? "", /^whpk_/);
  await receiver.call("setKeys", path, [key, fresh, last ?? ""]);
  await smn.publishMessage(topic, { message: "after" });
  const [, , , fourth] = await notificationsTo(path, 4);
  assert.deepEqual(fourth?.verifiedBy, [last]);
});

test("ed25519 is verified by the public key, before and after a restart", async () => {
  const { topic, path, key, urn } = await subscribe("ed25519", {
    scheme: "standard-webhooks",
    algorithm: "ed25519",
  });
  assert.match(key, /^whpk_/);
  await smn.publishMessage(topic, { message: "one" });
  await notificationsTo(path, 1);
  await server.kill();
  await startServer();
  assert.deepEqual(secretsOf(await carillon.signatures.get(urn)), [key]);
  await smn.publishMessage(topic, { message: "two" });
  for (const { body, headers, ...request } of await notificationsTo(path, 2)) {
    assert.equal(request.status, 200);
    assert.match(String(headers["webhook-signature"]), /^v1a,\S{88}$/);
    await verifyWebhook(body, headers, { key });
  }
});

test("what is signed by scheme none has no signature, and SMN's is as ever", async () => {
  const none = await subscribe("none", { scheme: "none" });
  const smnOnly = await subscribe("smn", { scheme: "smn" }, none.topic);
  await smn.publishMessage(none.topic, { message: "m" });
  const [unsigned] = await notificationsTo(none.path, 1);
  const [signed] = await notificationsTo(smnOnly.path, 1);
  assert.ok(unsigned && signed);
  const names = Object.keys(unsigned.headers);
  assert.deepEqual(
    names.filter((name) => name.startsWith("webhook-")),
    [],
  );
  assert.doesNotMatch(unsigned.body, /signature|signing_cert/);
  const [current] = await carillon.certificates.list();
  assert.ok(current);
  const { certificate } = current;
  const received = await verifyNotification(signed.body, { certificate });
  const { signature, signature_version, signing_cert_url, ...rest } =
    JSON.parse(signed.body);
  assert.ok(signature && signature_version && signing_cert_url);
  assert.equal(received.messageId, rest.message_id);
  const { unsubscribe_url: _, ...content } = rest;
  const { unsubscribe_url: __, ...bare } = JSON.parse(unsigned.body);
  assert.deepEqual(bare, content);
});

interface Subscribed {
  readonly topic: TopicReference;
  readonly path: string;
  readonly urn: string;
  /** Empty where there is none. */
  readonly key: string;
}

/** Subscribes a path of the receiver and confirms what it was sent. */
async function subscribe(
  name: string,
  signature: SignatureChoice,
  existing?: TopicReference,
): Promise<Subscribed> {
  const topic = existing ?? (await smn.createTopic({ name }));
  const path = `/${name}`;
  const { subscriptionUrn: urn } = await carillon.signatures.subscribe(topic, {
    protocol: "http",
    endpoint: receiver.url + path,
    signature,
  });
  const [key = ""] = secretsOf(await carillon.signatures.reveal(urn));
  await until(
    async () => (await receiver.call("requestsTo", path)).length > 0,
    "a confirmation",
  );
  const [request] = await receiver.call("requestsTo", path);
  assert.ok(request);
  if (signature.scheme === "standard-webhooks") {
    const { body, headers } = request;
    const received = await verifyWebhook(body, headers, { key });
    assert.equal(received.type, "SubscriptionConfirmation");
    await confirmSubscription(received);
    await receiver.call("setKeys", path, [key]);
  } else {
    const { subscribe_url } = JSON.parse(request.body);
    const token = new URL(subscribe_url).searchParams.get("token");
    await smn.confirmSubscription(token ?? "");
  }
  return { topic, path, urn, key };
}

function secretsOf({ keys }: Signature): string[] {
  return keys.flatMap(({ secret, publicKey }) => secret ?? publicKey ?? []);
}

/** So many notifications, once they have come. */
async function notificationsTo(
  path: string,
  count: number,
): Promise<readonly SignedRequest[]> {
  let found: readonly SignedRequest[] = [];
  await until(async () => {
    const all = await receiver.call("requestsTo", path);
    found = all.filter(
      ({ headers }) => headers["x-smn-message-type"] === "Notification",
    );
    return found.length >= count;
  }, `${count} notifications to ${path}`);
  return found;
}
