/** The public surface: what it promises in types, and what it needs. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type ConnectOptions,
  type CreatedTopic,
  connect,
  InvalidOptionsError,
  type MessageAttribute,
  type MessageToPublish,
  type NewMessage,
  type ReceivedMessage,
  ResourceNotFoundError,
  ResponseError,
  type Smn,
  SmnError,
  type Template,
  type Topic,
  type VerifyOptions,
} from "./index.ts";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
    ? true
    : false;

/** Fails to compile unless both types are the same. */
function holds<T extends true>(truth: T): void {
  assert.equal(truth, true);
}

/** Never called: what is in it is for the compiler. */
function promisedTypes(smn: Smn): void {
  const found = () => smn.findTopic("x");
  const foundOrNot = () => smn.findTopic("x", { ignoreMissing: true });
  const template = () => smn.findTemplate("x", { ignoreMissing: false });
  const topics = () => smn.topics({ limit: 10 });
  const created = () => smn.createTopic({ name: "x" });
  holds<Same<Awaited<ReturnType<typeof found>>, Topic>>(true);
  holds<Same<Awaited<ReturnType<typeof foundOrNot>>, Topic | undefined>>(true);
  holds<Same<Awaited<ReturnType<typeof template>>, Template>>(true);
  holds<Same<Awaited<ReturnType<typeof created>>, CreatedTopic>>(true);
  holds<
    Same<ReturnType<typeof topics>, AsyncGenerator<Topic, void, undefined>>
  >(true);
  holds<
    Same<
      ReceivedMessage["type"],
      "Notification" | "SubscriptionConfirmation" | "UnsubscribeConfirmation"
    >
  >(true);

  // Whatever a call gives can be given to another.
  const chain = async () => {
    const topic = await created();
    const text = "x";
    await smn.publishMessage(topic, { message: text });
    for await (const subscription of smn.subscriptions(topic)) {
      await smn.deleteSubscription(subscription, { ignoreMissing: false });
      await smn.getTopic(subscription);
    }
    for await (const each of smn.templates()) await smn.getTemplate(each);
  };
  void chain;

  const endpoint = "https://smn.example";
  const options: ConnectOptions[] = [
    { endpoint, user: "u", password: "p", project: "q" },
    { endpoint, userId: "u", password: "p", projectId: "q" },
    { authUrl: endpoint, user: "u", password: "p", projectId: "q" },
    { endpoint, accessKey: "a", secretKey: "s", projectId: "q" },
    { endpoint, accessKey: "a", secretKey: "s", scheme: "basic" },
    { endpoint, token: async () => "t", projectId: "q", timeoutMs: 1 },
    // @ts-expect-error No credentials.
    { endpoint },
    // @ts-expect-error No password.
    { endpoint, user: "u", project: "q" },
    // @ts-expect-error No project.
    { endpoint, user: "u", password: "p" },
    // @ts-expect-error No place.
    { user: "u", password: "p", project: "q" },
    // @ts-expect-error No secret key.
    { endpoint, accessKey: "a", projectId: "q" },
  ];
  const messages: NewMessage[] = [
    { message: "x", subject: "s" },
    { messageStructure: { default: "x", sms: "y" } },
    { messageTemplateName: "x", tags: { a: "b" } },
    // @ts-expect-error No content.
    { subject: "s" },
    // @ts-expect-error Two contents.
    { message: "x", messageTemplateName: "y" },
    // @ts-expect-error No default text.
    { messageStructure: { sms: "y" } },
  ];
  const audience = { kind: "topic", topicUrn: "urn" } as const;
  const published: MessageToPublish[] = [
    { audience, text: "x", notBefore: "2026-12-24T08:00:00Z" },
    { audience: { kind: "topics", topics: ["a", "b"] }, text: "x" },
    { audience: { kind: "direct", recipients: [] }, text: "x" },
    // @ts-expect-error No audience.
    { text: "x" },
    // @ts-expect-error No such member.
    { audience, text: "x", topic: "disks" },
    // @ts-expect-error A topic has no recipients.
    { audience: { kind: "topic", recipients: [] }, text: "x" },
    // @ts-expect-error No content.
    { audience },
  ];
  const sources: VerifyOptions[] = [
    { certificate: "x" },
    { fetchCertificate: async () => "x" },
    // @ts-expect-error No certificate.
    { topicUrns: [] },
  ];
  const attributes: MessageAttribute[] = [
    { name: "a", type: "STRING_ARRAY", value: ["b"] },
    // @ts-expect-error One value is not a list.
    { name: "a", type: "STRING", value: ["b"] },
  ];
  void [options, messages, published, sources, attributes];
}

test("keeps its promises about types", () => {
  assert.equal(typeof promisedTypes, "function");
});

test("has the operations of SMN", () => {
  const { smn } = connect({
    endpoint: "https://smn.example",
    projectId: "p",
    token: "t",
  });
  assert.deepEqual(Object.keys(smn).sort(), [
    "confirmSubscription",
    "createSubscription",
    "createTemplate",
    "createTopic",
    "deleteSubscription",
    "deleteTemplate",
    "deleteTopic",
    "deleteTopicAttribute",
    "findTemplate",
    "findTopic",
    "getTemplate",
    "getTopic",
    "publishMessage",
    "sendSms",
    "subscriptions",
    "templates",
    "topicAttributes",
    "topics",
    "updateTemplate",
    "updateTopic",
    "updateTopicAttribute",
  ]);
});

test("refuses to connect without credentials", () => {
  const options = { endpoint: "https://smn.example" } as ConnectOptions;
  assert.throws(() => connect(options), InvalidOptionsError);
});

test("errors can be distinguished by class and by code", () => {
  const error = new ResourceNotFoundError("gone", { status: 404 });
  assert.ok(error instanceof ResponseError);
  assert.ok(error instanceof SmnError);
  assert.equal(error.code, "RESOURCE_NOT_FOUND");
  assert.equal(String(error), "ResourceNotFoundError: gone");
});

test("needs nothing to be installed", () => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  assert.ok(typeof manifest === "object" && manifest !== null);
  for (const kind of [
    "dependencies",
    "peerDependencies",
    "optionalDependencies",
  ]) {
    assert.equal(kind in manifest, false);
  }
});
