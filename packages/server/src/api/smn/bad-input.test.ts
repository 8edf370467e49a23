/**
 * Every route with every kind of bad input: always refused in SMN's shape with
 * a status below 500, and nothing changed.
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

const urn = "urn:smn:test-1:0f:a";
const template = "0".repeat(32);

/** Method, path below `/v2/{project}`, and a body that is right. */
const routes = [
  ["POST", "/notifications/topics", { name: "b" }],
  ["GET", "/notifications/topics"],
  ["GET", `/notifications/topics/${urn}`],
  ["PUT", `/notifications/topics/${urn}`, { display_name: "x" }],
  ["DELETE", `/notifications/topics/${urn}`],
  [
    "POST",
    `/notifications/topics/${urn}/subscriptions`,
    { protocol: "email", endpoint: "a@example.test" },
  ],
  ["GET", `/notifications/topics/${urn}/subscriptions`],
  [
    "DELETE",
    `/notifications/topics/${urn}/subscriptions`,
    { subscription_urns: [{ subscription_urn: `${urn}:1` }] },
  ],
  ["DELETE", `/notifications/topics/${urn}/subscriptions/${urn}:1`],
  [
    "PUT",
    `/notifications/topics/${urn}/subscriptions/${urn}:1`,
    { remark: "r" },
  ],
  [
    "POST",
    `/notifications/topics/${urn}/logtanks`,
    { log_group_id: "g", log_stream_id: "s" },
  ],
  ["GET", `/notifications/topics/${urn}/logtanks`],
  [
    "PUT",
    `/notifications/topics/${urn}/logtanks/1`,
    { log_group_id: "g", log_stream_id: "s" },
  ],
  ["DELETE", `/notifications/topics/${urn}/logtanks/1`],
  ["POST", `/notifications/topics/${urn}/kms`, { key_id: "k" }],
  ["GET", `/notifications/topics/${urn}/kms`],
  ["PUT", `/notifications/topics/${urn}/kms/1`, { key_id: "k" }],
  ["DELETE", `/notifications/topics/${urn}/kms/1`],
  [
    "POST",
    `/notifications/topics/${urn}/notify-policy`,
    {
      protocol: "callnotify",
      polling: [{ order: 1, subscription_urns: [`${urn}:1`] }],
    },
  ],
  ["GET", `/notifications/topics/${urn}/notify-policy`],
  ["DELETE", `/notifications/topics/${urn}/notify-policy/1`],
  ["GET", `/notifications/topics/${urn}/statistics`],
  [
    "POST",
    `/notifications/topics/${urn}/detection`,
    { protocol: "https", endpoint: "https://example.test/" },
  ],
  ["GET", `/notifications/topics/${urn}/detection/1`],
  [
    "POST",
    "/notifications/subscriptions/filter_polices",
    {
      polices: [
        {
          subscription_urn: `${urn}:1`,
          filter_polices: [{ name: "n", string_equals: ["v"] }],
        },
      ],
    },
  ],
  [
    "DELETE",
    "/notifications/subscriptions/filter_polices",
    { subscription_urns: [`${urn}:1`] },
  ],
  ["GET", "/notifications/subscriptions"],
  [
    "DELETE",
    "/notifications/subscriptions",
    { subscription_urns: [{ subscription_urn: `${urn}:1` }] },
  ],
  ["DELETE", `/notifications/subscriptions/${urn}:1`],
  ["POST", `/notifications/topics/${urn}/publish`, { message: "m" }],
  ["GET", `/notifications/topics/${urn}/attributes`],
  [
    "PUT",
    `/notifications/topics/${urn}/attributes/introduction`,
    { value: "x" },
  ],
  [
    "PUT",
    `/notifications/topics/${urn}/attributes/access_policy`,
    { value: "{}" },
  ],
  ["DELETE", `/notifications/topics/${urn}/attributes/introduction`],
  ["DELETE", `/notifications/topics/${urn}/attributes`],
  ["GET", "/notifications/topics-with-associated-resources"],
  [
    "POST",
    "/notifications/message_template",
    { message_template_name: "b", content: "x" },
  ],
  ["GET", "/notifications/message_template"],
  ["GET", `/notifications/message_template/${template}`],
  ["PUT", `/notifications/message_template/${template}`, { content: "x" }],
  ["DELETE", `/notifications/message_template/${template}`],
  ["GET", "/smn_topic/tags"],
  ["GET", `/smn_topic/${urn}/tags`],
  ["POST", `/smn_topic/${urn}/tags`, { tag: { key: "k", value: "v" } }],
  [
    "POST",
    `/smn_topic/${urn}/tags/action`,
    { action: "create", tags: [{ key: "k", value: "v" }] },
  ],
  ["DELETE", `/smn_topic/${urn}/tags/k`],
  ["POST", "/smn_topic/resource_instances/action", { action: "count" }],
  ["POST", "/notifications/sms", { endpoint: "+491700000", message: "m" }],
  ["GET", "/notifications/protocols"],
] as const;

const badBodies: Readonly<Record<string, Buffer | string>> = {
  "malformed JSON": '{"name": "b",}',
  "half a JSON": '{"message": "m',
  "invalid UTF-8": Buffer.from([
    ...Buffer.from('{"message":"'),
    0xff,
    0xfe,
    ...Buffer.from('"}'),
  ]),
  "UTF-16": Buffer.from('{"message":"m"}', "utf16le"),
  array: "[]",
  text: '"text"',
  number: "1",
  null: "null",
  "deep nesting": `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  "prototype keys": '{"__proto__":{"name":"x"},"constructor":{"x":1}}',
  "a form": "name=b&message=m",
};

const badQueries = [
  "limit=1&limit=2",
  "offset=a",
  "name=a&name=b",
  "status=1&status=2",
  "marker=%00",
  "marker=a&marker=b",
  "fuzzy_name=%FF%FE",
  "%",
  "a=%zz",
  `topic_id=${"x".repeat(8000)}`,
];

function assertRefusal(
  response: { statusCode: number; body: string; headers: object },
  note: string,
): void {
  const { statusCode } = response;
  assert.ok(statusCode >= 400 && statusCode < 500, `${statusCode} ${note}`);
  const body = JSON.parse(response.body);
  assert.match(body.error_code, /^(SMN|APIGW)\.\d+$/, note);
  assert.equal(body.code, body.error_code);
  assert.ok(body.error_msg.length > 0);
  assert.equal(body.message, body.error_msg);
  assert.match(body.request_id, /^[0-9a-f]{32}$/);
  const headers = response.headers as Record<string, string>;
  assert.equal(headers["x-request-id"], body.request_id);
  assert.equal(headers["x-openstack-request-id"], body.request_id);
  assert.match(headers["content-type"] ?? "", /^application\/json/);
}

for (const [method, path, right] of routes) {
  test(`${method} ${path}`, async () => {
    await using server = await startTestServer();
    const { app, authorization, credentials } = server;
    const { id } = credentials.project;
    await server.call("POST", `${server.base}/topics`, { name: "a" });
    const url = `/v2/${id}${path.replaceAll(":0f:", `:${id}:`)}`;
    const payload = right && JSON.stringify(right);
    const body = payload === undefined ? {} : { payload };
    const send = (options: object) =>
      app.inject({ method, url, headers: { authorization }, ...options });

    const unknown = await app.inject({ method, url, ...body });
    assertRefusal(unknown, "no credentials");
    assert.equal(unknown.json().code, "APIGW.0301");

    const foreign = await send({
      ...body,
      url: url.replace(id, "f".repeat(32)),
    });
    assertRefusal(foreign, "another project");
    assert.equal(foreign.json().code, "SMN.0001");

    if (path.includes(urn)) {
      for (const name of [
        "a",
        "%00",
        "urn:smn:x",
        `${"y".repeat(9000)}`,
        "%F0",
      ]) {
        const start = url.indexOf("urn:");
        const malformed = `${url.slice(0, start)}${name}${url.slice(start).replace(/^[^/]*/, "")}`;
        assertRefusal(await send({ ...body, url: malformed }), name);
      }
      const absent = url.replaceAll(":a", ":absent");
      assertRefusal(await send({ ...body, url: absent }), "absent");
    }

    if (right) {
      for (const [name, bad] of Object.entries(badBodies)) {
        // An update with nothing in it clears the name, as Go's clients do.
        if (method === "PUT" && name === "prototype keys") continue;
        assertRefusal(await send({ payload: bad }), name);
      }
      const tooLarge = Buffer.alloc(10 * 1024 * 1024, " ");
      assertRefusal(await send({ payload: tooLarge }), "10 MB");
    }

    for (const query of badQueries) {
      const response = await send({ ...body, url: `${url}?${query}` });
      // Where nobody looks at a parameter it does no harm.
      if (response.statusCode >= 400) assertRefusal(response, query);
    }

    for (const type of [
      "text/plain",
      "application/xml",
      "",
      "a/b; charset=x",
    ]) {
      const response = await send({
        ...body,
        headers: { authorization, "content-type": type },
      });
      assert.ok(response.statusCode < 500, type);
    }
    const odd = await send({
      ...body,
      headers: { authorization, "content-type": ";;;" },
    });
    if (odd.statusCode >= 400) assertRefusal(odd, "content type of no sense");
    assert.deepEqual(server.complaints, []);
  });
}

test("unknown routes and methods are answered in SMN's shape", async () => {
  await using server = await startTestServer();
  const { app, authorization, base } = server;
  for (const [method, url] of [
    ["GET", "/nothing"],
    ["PATCH", `${base}/topics`],
    ["GET", `${base}/nothing`],
    ["GET", "/v9"],
    ["POST", "/v2"],
    ["OPTIONS", `${base}/topics`],
    ["GET", "/v2/%zz"],
    ["GET", `/${"x".repeat(9000)}`],
  ] as const) {
    const headers = { authorization };
    const response = await app.inject({ method, url, headers });
    assertRefusal(response, url);
    const expected = url === "/v2/%zz" ? "APIGW.0201" : "APIGW.0101";
    assert.equal(response.json().code, expected, url);
  }
});

test("malformed bodies have a code of their own", async () => {
  await using server = await startTestServer();
  const { app, authorization, base, topicUrn } = server;
  const codeOf = async (path: string, payload: string | Buffer) => {
    const response = await app.inject({
      method: "POST",
      url: `${base}${path}`,
      headers: { authorization },
      payload,
    });
    return [response.statusCode, response.json().code];
  };
  const topic = `/topics/${topicUrn("a")}`;
  const big = Buffer.alloc(3 * 1024 * 1024);
  assert.deepEqual(await codeOf("/topics", "{"), [400, "APIGW.0201"]);
  assert.deepEqual(await codeOf("/topics", big), [400, "APIGW.0201"]);
  assert.deepEqual(await codeOf(`${topic}/publish`, "{"), [400, "APIGW.0201"]);
  assert.deepEqual(await codeOf(`${topic}/publish`, big), [403, "SMN.0009"]);
  assert.deepEqual(await codeOf(`${topic}/subscriptions`, "{"), [
    400,
    "SMN.0043",
  ]);
});

test("keys of the prototype do no harm", async () => {
  await using server = await startTestServer();
  const { app, authorization, base } = server;
  const response = await app.inject({
    method: "POST",
    url: `${base}/topics`,
    headers: { authorization },
    payload: '{"name":"a","__proto__":{"display_name":"polluted"}}',
  });
  assert.equal(response.statusCode, 201);
  const { body } = await server.call("GET", `${base}/topics`);
  assert.equal(body.topics[0].display_name, "");
  assert.equal(({} as { display_name?: string }).display_name, undefined);
});

test("a body that is announced too large is refused before it is sent", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `POST ${server.base}/topics HTTP/1.1\r\nhost: x\r\nauthorization: ${server.authorization}\r\ncontent-length: 99999999\r\n\r\n`,
      );
    });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.includes("}")) {
        socket.destroy();
        resolve(text);
      }
    });
    socket.on("error", reject);
  });
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.match(answer, /"APIGW\.0201"/);
});
