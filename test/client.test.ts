/** The client and the receiver's check against a real Carillon server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  AuthenticationError,
  BadRequestError,
  type Connection,
  confirmSubscription,
  connect,
  createCertificateFetcher,
  deliveryStates,
  ForbiddenError,
  type ReceivedMessage,
  ResourceNotFoundError,
  type Smn,
  subscriptionStatus,
  verifyNotification,
} from "@carillon/client";
import { deliveryStates as statesOfServer } from "@carillon/core";
import { Program } from "../packages/client/src/testing/program.ts";
import { serve } from "../packages/client/src/testing/serve.ts";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";

const { accessKey, secretKey, projectId, projectName } = credentials;
const password = credentials.adminPassword;
const nobody = "0".repeat(32);

let data: string;
let server: CarillonProcess;

before(async () => {
  data = await mkdtemp(join(tmpdir(), "carillon-client-"));
  server = await CarillonProcess.start({ data });
});

after(async () => {
  await server.kill();
  await rm(data, { recursive: true, force: true });
});

/** Each way to prove who one is. */
const ways: Readonly<Record<string, (url: string) => Connection>> = {
  "access key": (endpoint) =>
    connect({ endpoint, accessKey, secretKey, projectId }),
  "password and names": (endpoint) =>
    connect({ endpoint, user: "admin", password, project: projectName }),
  "password and project id": (endpoint) =>
    connect({
      authUrl: `${endpoint}/v3`,
      user: "admin",
      password,
      projectId,
      region: credentials.region,
    }),
};

function connectByKey(): Smn {
  return connect({ endpoint: server.url, accessKey, secretKey, projectId }).smn;
}

for (const [way, open] of Object.entries(ways)) {
  test(`works with ${way}`, async () => {
    const { smn } = open(server.url);
    const name = way.replaceAll(" ", "-");
    const topic = await smn.createTopic({ name, displayName: "Ü" });
    assert.equal((await smn.getTopic(topic)).displayName, "Ü");
    await smn.deleteTopic(topic);
  });
}

test("says that credentials are wrong", async () => {
  const endpoint = server.url;
  for (const { smn } of [
    connect({ endpoint, accessKey, secretKey: "wrong", projectId }),
    connect({ endpoint, user: "admin", password: "wrong", projectId }),
    connect({ endpoint, token: "wrong", projectId }),
  ]) {
    await assert.rejects(
      smn.getTopic("urn:smn:local:x:y"),
      AuthenticationError,
    );
  }
});

test("says that a project is someone else's", async () => {
  const { smn } = connect({
    endpoint: server.url,
    accessKey,
    secretKey,
    projectId: nobody,
  });
  await assert.rejects(Array.fromAsync(smn.topics()), ForbiddenError);
});

describe("topics", () => {
  test("live from creation to deletion", async () => {
    const smn = connectByKey();
    const created = await smn.createTopic({ name: "life" });
    assert.equal(
      created.topicUrn,
      `urn:smn:${credentials.region}:${projectId}:life`,
    );
    assert.ok(created.requestId);
    assert.deepEqual(
      (await smn.createTopic({ name: "life" })).topicUrn,
      created.topicUrn,
    );
    await smn.updateTopic(created, { displayName: "Life" });
    const topic = await smn.findTopic("life");
    assert.equal(topic.displayName, "Life");
    assert.deepEqual(await smn.findTopic(topic.topicUrn), topic);
    assert.deepEqual(await smn.findTopic(topic.topicId ?? ""), topic);
    await smn.deleteTopic(topic);
    await smn.deleteTopic(topic);
    await assert.rejects(smn.deleteTopic(topic, { ignoreMissing: false }), {
      constructor: ResourceNotFoundError,
      smnCode: "SMN.0006",
    });
    await assert.rejects(smn.getTopic(topic), ResourceNotFoundError);
    await assert.rejects(smn.findTopic("life"), ResourceNotFoundError);
    const found = await smn.findTopic("life", { ignoreMissing: true });
    assert.equal(found, undefined);
  });

  test("say what is wrong with a name", async () => {
    await assert.rejects(connectByKey().createTopic({ name: "-bad name" }), {
      constructor: BadRequestError,
      smnCode: "SMN.0002",
    });
  });

  test("are all listed, whatever the size of a page", async () => {
    const smn = connectByKey();
    const names = Array.from({ length: 7 }, (_, i) => `page-${i}`);
    for (const name of names) await smn.createTopic({ name });
    for (const limit of [1, 3, 7, 100]) {
      const query = { limit, fuzzyName: "page-" };
      const listed = await Array.fromAsync(smn.topics(query));
      assert.deepEqual(listed.map(({ name }) => name).sort(), names);
    }
  });

  test("can be deleted while they are listed", async () => {
    const smn = connectByKey();
    const names = Array.from({ length: 7 }, (_, i) => `gone-${i}`);
    for (const name of names) await smn.createTopic({ name });
    const query = { limit: 2, fuzzyName: "gone-" };
    for await (const topic of smn.topics(query)) await smn.deleteTopic(topic);
    assert.deepEqual(await Array.fromAsync(smn.topics(query)), []);
  });

  test("keep an access policy byte for byte", async () => {
    const smn = connectByKey();
    const topic = await smn.createTopic({ name: "policy" });
    const value = `\n  ${JSON.stringify({
      Version: "2016-09-07",
      Id: "default",
      Statement: [
        {
          Sid: "everyone",
          Effect: "Allow",
          Principal: { CSP: ["*"] },
          Action: ["SMN:Publish"],
          Resource: topic.topicUrn,
        },
      ],
    })}`;
    await smn.updateTopicAttribute(topic, { value });
    await smn.updateTopicAttribute(topic, {
      name: "introduction",
      value: "Hello",
    });
    const attributes = await smn.topicAttributes(topic);
    assert.equal(attributes.access_policy, value);
    assert.equal(attributes.introduction, "Hello");
    await smn.deleteTopicAttribute(topic, "access_policy");
    const { access_policy, introduction } = await smn.topicAttributes(topic);
    assert.deepEqual([access_policy, introduction], ["", "Hello"]);
    await smn.deleteTopicAttribute(topic);
    const name = "introduction";
    assert.equal((await smn.topicAttributes(topic, { name }))[name], "");
  });
});

test("templates live from creation to deletion", async () => {
  const smn = connectByKey();
  const messageTemplateName = "greeting";
  const content = "Hello {name}, {name}!";
  const created = await smn.createTemplate({ messageTemplateName, content });
  const detail = await smn.getTemplate(created);
  assert.equal(detail.content, content);
  assert.deepEqual(detail.tagNames, ["name"]);
  await smn.updateTemplate(created, { content: "Bye {who}" });
  const found = await smn.findTemplate(messageTemplateName);
  assert.equal(found.messageTemplateId, created.messageTemplateId);
  assert.deepEqual(found.tagNames, ["who"]);
  await smn.createTemplate({
    messageTemplateName,
    content,
    protocol: "email",
  });
  const protocol = "email";
  const variant = await smn.findTemplate(messageTemplateName, { protocol });
  assert.equal(variant.protocol, "email");
  const query = { name: messageTemplateName, limit: 1 };
  for await (const each of smn.templates(query)) await smn.deleteTemplate(each);
  assert.deepEqual(await Array.fromAsync(smn.templates(query)), []);
  await smn.deleteTemplate(created);
  await assert.rejects(
    smn.deleteTemplate(created, { ignoreMissing: false }),
    ResourceNotFoundError,
  );
});

describe("a receiver", () => {
  test("confirms, and gets what is published", async () => {
    const smn = connectByKey();
    const topic = await smn.createTopic({ name: "received" });
    await using receiver = await startReceiver(topic.topicUrn);
    const subscription = await smn.createSubscription("received", {
      protocol: "http",
      endpoint: receiver.url,
      remark: "mine",
    });
    await receiver.arrived(1);
    const [confirmed] = await Array.fromAsync(smn.subscriptions(topic));
    assert.equal(confirmed?.subscriptionUrn, subscription.subscriptionUrn);
    assert.equal(confirmed?.status, subscriptionStatus.confirmed);
    assert.equal(confirmed?.remark, "mine");

    const text = await smn.publishMessage(topic, {
      subject: "Ü",
      message: "line\nline",
    });
    await receiver.arrived(2);
    const structure = await smn.publishMessage("received", {
      messageStructure: { default: "no", http: "yes" },
      timeToLive: 60,
    });
    await receiver.arrived(3);
    const [, first, second] = receiver.received;
    assert.ok(first?.type === "Notification");
    assert.equal(first.messageId, text.messageId);
    assert.equal(first.message, "line\nline");
    assert.equal(first.subject, "Ü");
    assert.equal(second?.messageId, structure.messageId);
    assert.equal(second?.message, "yes");
    assert.deepEqual(receiver.failures, []);

    await smn.deleteSubscription(subscription);
    await smn.deleteSubscription(subscription);
    await assert.rejects(
      smn.deleteSubscription(subscription, { ignoreMissing: false }),
      ResourceNotFoundError,
    );
    assert.deepEqual(await Array.fromAsync(smn.subscriptions(topic)), []);
  });

  test("gets what a template makes", async () => {
    const smn = connectByKey();
    const topic = await smn.createTopic({ name: "templated" });
    await using receiver = await startReceiver(topic.topicUrn);
    const endpoint = receiver.url;
    await smn.createSubscription(topic, { protocol: "http", endpoint });
    await receiver.arrived(1);
    const messageTemplateName = "templated";
    const content = "Hello {name}";
    await smn.createTemplate({ messageTemplateName, content });
    await smn.publishMessage(topic, {
      messageTemplateName,
      tags: { name: "Ada" },
    });
    await receiver.arrived(2);
    assert.equal(receiver.received[1]?.message, "Hello Ada");
  });
});

test("the example publishes, and the example receivers receive", async () => {
  const smn = connectByKey();
  const topic = await smn.createTopic({ name: "examples" });
  const env = {
    CARILLON_URL: server.url,
    TOPIC_URN: topic.topicUrn,
    PORT: "0",
  };
  await using plain = new Program("receiver-node-http/receiver.ts", [], env);
  await using fastify = new Program("receiver-fastify/receiver.ts", [], env);
  for (const receiver of [plain, fastify]) {
    const endpoint = (await receiver.line()).replace("Listening on ", "");
    await smn.createSubscription(topic, { protocol: "http", endpoint });
    assert.equal(await receiver.line(), `Subscribed to ${topic.topicUrn}`);
  }
  await using publish = new Program(
    "publish/publish.ts",
    ["examples", "Disk is full"],
    {
      CARILLON_URL: server.url,
      CARILLON_PROJECT_ID: projectId,
      CARILLON_ACCESS_KEY: accessKey,
      CARILLON_SECRET_KEY: secretKey,
    },
  );
  const [, messageId] = (await publish.line()).split(" ");
  for (const receiver of [plain, fastify]) {
    assert.equal(await receiver.line(), `${messageId}: Disk is full`);
  }
});

test("an SMS is accepted, and one to nowhere is not", async () => {
  const smn = connectByKey();
  const sent = await smn.sendSms("+4915112345678", "hello");
  assert.match(sent.messageId, /^[0-9a-f]{32}$/);
  await assert.rejects(smn.sendSms("nowhere", "hello"), {
    constructor: BadRequestError,
    smnCode: "SMN.0012",
  });
});

interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedMessage[];
  readonly failures: readonly unknown[];
  /** Resolves when so many messages have come, the confirmation included. */
  arrived(count: number): Promise<void>;
}

/** Verifies what comes for the topic, and confirms. */
async function startReceiver(topicUrn: string): Promise<Receiver> {
  const received: ReceivedMessage[] = [];
  const failures: unknown[] = [];
  const arrivals = new EventTarget();
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [new URL(server.url).origin],
  });
  const receive = async (body: string) => {
    const message = await verifyNotification(body, {
      fetchCertificate,
      topicUrns: [topicUrn],
    });
    if (message.type === "SubscriptionConfirmation") {
      await confirmSubscription(message);
    }
    received.push(message);
  };
  const listener = await serve(({ text }) => {
    void receive(text)
      .catch((error: unknown) => failures.push(error))
      .finally(() => arrivals.dispatchEvent(new Event("arrival")));
    return { status: 204 };
  });
  return {
    url: `${listener.url}/hook`,
    received,
    failures,
    async arrived(count) {
      const signal = AbortSignal.timeout(10_000);
      while (received.length < count) {
        await once(arrivals, "arrival", { signal }).catch((cause: unknown) => {
          const what = `${received.length} of ${count} arrived`;
          throw new Error(`${what}; ${failures.join(", ")}`, { cause });
        });
      }
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

test("the client knows each state that the server has", () => {
  assert.deepEqual([...deliveryStates].sort(), [...statesOfServer].sort());
});
