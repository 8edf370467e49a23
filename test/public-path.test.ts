/**
 * A server behind a proxy that serves it below a path: links in mails and
 * texts, their pages and buttons, signed requests, lists.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type Smn } from "@carillon/client";
import {
  type PrefixProxy,
  startPrefixProxy,
} from "../packages/server/test-support/prefix-proxy.ts";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { SandboxReader } from "./harness/sandbox-reader.ts";

let data: string;
let proxy: PrefixProxy;
let server: CarillonProcess | undefined;
let smn: Smn;
let sandbox: SandboxReader;

before(async () => {
  data = await mkdtemp(join(tmpdir(), "carillon-path-"));
  proxy = await startPrefixProxy(
    () => Number(new URL(server?.url ?? "").port),
    "/notify",
  );
  server = await CarillonProcess.start({
    data,
    args: ["--sandbox", "--public-url", `${proxy.url}/`],
  });
  sandbox = new SandboxReader({
    url: proxy.url,
    authorization: basicAuthorization,
  });
  const { accessKey, secretKey, projectId } = credentials;
  // Signs each request, with the path it is sent to.
  ({ smn } = connect({ endpoint: proxy.url, accessKey, secretKey, projectId }));
});

after(async () => {
  await server?.kill();
  await proxy?.[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

test("mails lead to pages whose buttons confirm and unsubscribe", async () => {
  const endpoint = "reader@example.test";
  const topic = await smn.createTopic({ name: "mails" });
  await smn.createSubscription(topic, { protocol: "email", endpoint });
  const invitation = await sandbox.mail(({ subject }) =>
    /^Confirm/.test(subject),
  );
  const confirm = sandbox.linkIn(invitation.text, "c");
  await scan(confirm);
  assert.equal(await statusOf("mails"), 0);
  assert.match(await sandbox.press(confirm), /Subscription confirmed/);
  assert.equal(await statusOf("mails"), 1);

  await smn.publishMessage(topic, { subject: "News", message: "It rains." });
  const news = await sandbox.mail(({ subject }) => subject === "News");
  const leave = sandbox.linkIn(news.text, "u");
  const header = (name: string) =>
    news.headers.find((one) => one.name === name)?.value;
  assert.equal(header("List-Unsubscribe"), `<${leave}>`);
  assert.equal(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
  await scan(leave);
  assert.equal(await statusOf("mails"), 1);
  const clicked = await fetch(leave, {
    method: "POST",
    body: new URLSearchParams({ "List-Unsubscribe": "One-Click" }),
  });
  assert.equal(clicked.status, 200);
  assert.equal(await statusOf("mails"), 3);

  // What is left of the invitation works no more, the last mail's link does.
  assert.equal((await fetch(confirm, { method: "POST" })).status, 403);
  const farewell = await sandbox.mail(({ subject }) =>
    /^You are unsub/.test(subject),
  );
  assert.match(
    await sandbox.press(sandbox.linkIn(farewell.text, "c")),
    /confirmed/,
  );
  assert.equal(await statusOf("mails"), 1);
  // Of before it left: no old mail ends the new subscription.
  assert.equal((await fetch(leave, { method: "POST" })).status, 404);
  await smn.publishMessage(topic, { subject: "More", message: "It pours." });
  const more = await sandbox.mail(({ subject }) => subject === "More");
  assert.match(
    await sandbox.press(sandbox.linkIn(more.text, "u")),
    /Unsubscribed/,
  );
  assert.equal(await statusOf("mails"), 3);
});

test("text messages lead to the same pages", async () => {
  const topic = await smn.createTopic({ name: "texts" });
  await smn.updateTopicAttribute(topic, {
    name: "introduction",
    value: "News of the harbour",
  });
  const endpoint = "+15550100042";
  await smn.createSubscription(topic, { protocol: "sms", endpoint });
  const text = await sandbox.text(endpoint);
  const confirm = sandbox.linkIn(text, "c");
  assert.equal(
    text,
    `News of the harbour. Confirm your subscription to texts within 48 hours: ${confirm}`,
  );
  await scan(confirm);
  assert.equal(await statusOf("texts"), 0);
  assert.match(await sandbox.press(confirm), /Subscription confirmed/);
  assert.equal(await statusOf("texts"), 1);
});

test("lists go on below the path", async () => {
  const names = ["p1", "p2", "p3"];
  for (const name of names) await smn.createTopic({ name });
  const headers = { authorization: basicAuthorization };
  let url: string | undefined =
    `${proxy.url}/v2/${credentials.projectId}/notifications/topics?limit=1&fuzzy_name=p`;
  const found: string[] = [];
  while (url !== undefined) {
    assert.ok(url.startsWith(`${proxy.url}/v2/`), url);
    const response: Response = await fetch(url, { headers });
    const body = (await response.json()) as TopicList;
    found.push(...body.topics.map(({ name }) => name));
    url = body.topics_links?.[0]?.href;
  }
  assert.deepEqual(found, names.toReversed());
});

interface TopicList {
  readonly topics: readonly { readonly name: string }[];
  readonly topics_links?: readonly { readonly href: string }[];
}

/** Follows a link as scanners of mail and previews of chats do. */
async function scan(link: string): Promise<void> {
  for (const accept of ["*/*", "application/json", "text/html"]) {
    for (const method of ["HEAD", "GET"]) {
      const response = await fetch(link, { method, headers: { accept } });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
      await response.text();
    }
  }
}

async function statusOf(topic: string): Promise<number | undefined> {
  const [subscription] = await Array.fromAsync(smn.subscriptions(topic));
  return subscription?.status;
}
