/** No text with U+0000 is kept: not every store could keep it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../test-support/test-server.ts";

/** What a request answers that has the text in one of its fields. */
type Send = (
  server: TestServer,
  text: string,
) => ReturnType<TestServer["call"]>;

const phone = "+4915112345678";

const notifications =
  (method: "POST" | "PUT", path: string, body: (text: string) => unknown) =>
  (server: TestServer, text: string) =>
    server.call(
      method,
      `${server.base}${path.replace("{urn}", server.topicUrn("alerts"))}`,
      body(text),
    );

const publish = (body: (text: string) => unknown) =>
  notifications("POST", "/topics/{urn}/publish", body);

async function addUser(server: TestServer, user: object) {
  const { body } = await server.call("GET", "/api/v2/whoami");
  const url = `/v2/${body.domainId}/subscription-users`;
  const destination = { protocol: "sms", endpoint: phone };
  return await server.call("POST", url, { ...destination, ...user });
}

const kinds: Readonly<Record<string, readonly [code: string, send: Send]>> = {
  message: ["SMN.0009", publish((message) => ({ message }))],
  subject: ["SMN.0008", publish((subject) => ({ message: "x", subject }))],
  "message structure": [
    "SMN.0021",
    publish((text) => ({
      message_structure: JSON.stringify({ default: "x", sms: text }),
    })),
  ],
  "protocol of a structure": [
    "SMN.0021",
    publish((text) => ({
      message_structure: JSON.stringify({ default: "x", [text]: "x" }),
    })),
  ],
  "attribute value": [
    "APIGW.0201",
    publish((value) => ({
      message: "x",
      message_attributes: [{ name: "a", type: "STRING", value }],
    })),
  ],
  "template tag": [
    "SMN.0038",
    publish((value) => ({ message_template_name: "t", tags: { a: value } })),
  ],
  "direct SMS": [
    "SMN.0009",
    notifications("POST", "/sms", (message) => ({ endpoint: phone, message })),
  ],
  "template content": [
    "SMN.0024",
    notifications("POST", "/message_template", (content) => ({
      message_template_name: "new",
      protocol: "email",
      content,
    })),
  ],
  "display name": [
    "SMN.0003",
    notifications("POST", "/topics", (display_name) => ({
      name: "new",
      display_name,
    })),
  ],
  "changed display name": [
    "SMN.0003",
    notifications("PUT", "/topics/{urn}", (display_name) => ({
      display_name,
    })),
  ],
  "enterprise project": [
    "SMN.0002",
    notifications("POST", "/topics", (enterprise_project_id) => ({
      name: "other",
      enterprise_project_id,
    })),
  ],
  introduction: [
    "SMN.0046",
    notifications("PUT", "/topics/{urn}/attributes/introduction", (value) => ({
      value,
    })),
  ],
  remark: [
    "SMN.0017",
    notifications("POST", "/topics/{urn}/subscriptions", (remark) => ({
      protocol: "sms",
      endpoint: phone,
      remark,
    })),
  ],
  endpoint: [
    "SMN.0012",
    notifications("POST", "/topics/{urn}/subscriptions", (text) => ({
      protocol: "https",
      endpoint: `https://example.com/${text}`,
    })),
  ],
  header: [
    "SMN.0043",
    notifications("POST", "/topics/{urn}/subscriptions", (value) => ({
      protocol: "https",
      endpoint: "https://example.com/headers",
      extension: { header: { "x-a": value } },
    })),
  ],
  "name of a subscription user": [
    "SMN.0043",
    (server, name) => addUser(server, { name }),
  ],
  "remark of a subscription user": [
    "SMN.0017",
    (server, remark) => addUser(server, { name: "n", remark }),
  ],
  "resource tag": [
    "SMN.0038",
    (server, value) =>
      server.call(
        "POST",
        `/v2/${server.credentials.project.id}/smn_topic/${server.topicUrn("alerts")}/tags`,
        { tag: { key: "k", value } },
      ),
  ],
  "log group": [
    "APIGW.0201",
    notifications("POST", "/topics/{urn}/logtanks", (text) => ({
      log_group_id: text,
      log_stream_id: "s",
    })),
  ],
  "keyword of an opt-out": [
    "OPT_OUT_INVALID",
    (server, keyword) =>
      server.call("POST", "/api/v2/opt-outs", { recipient: phone, keyword }),
  ],
  "sender of an opt-out": [
    "OPT_OUT_INVALID",
    (server, sender) =>
      server.call("POST", "/api/v2/opt-outs", { recipient: phone, sender }),
  ],
  "name of a key": [
    "KEY_INVALID",
    (server, name) => server.call("POST", "/api/v2/keys", { name }),
  ],
  "name of a user": [
    "IDENTITY_INVALID",
    (server, name) =>
      server.call("POST", "/api/v2/users", { name, password: "p".repeat(20) }),
  ],
};

async function setUp() {
  const server = await startTestServer();
  await server.call("POST", `${server.base}/topics`, { name: "alerts" });
  await server.call("POST", `${server.base}/message_template`, {
    message_template_name: "t",
    protocol: "default",
    content: "{a}",
  });
  return server;
}

for (const [kind, [code, send]] of Object.entries(kinds)) {
  test(`U+0000 is refused in: ${kind}`, async () => {
    await using server = await setUp();
    const refused = await send(server, "a\0b");
    assert.equal(refused.body.code, code, JSON.stringify(refused.body));
    // The same request without it is good: nothing else was wrong.
    const kept = await send(server, "ab");
    assert.ok(kept.status < 300, JSON.stringify(kept.body));
  });
}
