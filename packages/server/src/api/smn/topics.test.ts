import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { startTestServer } from "../../../test-support/test-server.ts";

test("a second create answers the topic unchanged", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  const url = `${base}/topics`;
  const first = await call("POST", url, { name: "a", display_name: "One" });
  const again = await call("POST", url, { name: "a", display_name: "Two" });
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.equal(again.body.topic_urn, first.body.topic_urn);
  const { body } = await call("GET", `${url}/${first.body.topic_urn}`);
  assert.equal(body.display_name, "One");
});

test("unknown fields and parameters are ignored", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  const created = await call("POST", `${base}/topics`, {
    name: "a",
    tags: [{ key: "x", value: 1 }],
    __proto__x: {},
    colour: null,
  });
  assert.equal(created.status, 201);
  const listed = await call("GET", `${base}/topics?colour=red&colour=blue`);
  assert.equal(listed.body.topic_count, 1);
});

test("a URN may be escaped, and a slash may follow it", async () => {
  await using server = await startTestServer();
  const { base, call, topicUrn } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const urn = topicUrn("a");
  for (const form of [urn, encodeURIComponent(urn), `${urn}/`]) {
    const { status } = await call("GET", `${base}/topics/${form}`);
    assert.equal(status, 200, form);
  }
  // Escaped twice it is another name, and no URN.
  const twice = encodeURIComponent(encodeURIComponent(urn));
  const { body } = await call("GET", `${base}/topics/${twice}`);
  assert.equal(body.code, "SMN.0005");
});

test("the list has each topic as it is shown alone", async () => {
  await using server = await startTestServer();
  const { base, call, topicUrn } = server;
  for (const [name, display_name] of [
    ["a", '"Zwei" \\ – 二'],
    ["b", "</script>\u2028"],
  ] as const) {
    await call("POST", `${base}/topics`, { name, display_name });
  }
  const { headers, body } = await call("GET", `${base}/topics`);
  assert.equal(headers["content-type"], "application/json; charset=utf-8");
  assert.deepEqual(Object.keys(body), ["request_id", "topic_count", "topics"]);
  for (const [index, name] of ["b", "a"].entries()) {
    const shown = await call("GET", `${base}/topics/${topicUrn(name)}`);
    const { request_id: _, ...topic } = shown.body;
    assert.deepEqual(body.topics[index], topic);
  }
});

test("an update changes the display name, or clears it", async () => {
  await using server = await startTestServer();
  const { base, call, clock, topicUrn } = server;
  const url = `${base}/topics/${topicUrn("a")}`;
  await call("POST", `${base}/topics`, { name: "a", display_name: "One" });
  clock.advance(5000);
  await call("PUT", url, { display_name: "Zwei – 二", topic_urn: "echoed" });
  const { body } = await call("GET", url);
  assert.equal(body.display_name, "Zwei – 二");
  assert.equal(body.create_time, "2026-01-01T00:00:00Z");
  assert.equal(body.update_time, "2026-01-01T00:00:05Z");
  await call("PUT", url, {});
  assert.equal((await call("GET", url)).body.display_name, "");
});

test("a deleted topic is gone at once, with its subscriptions", async () => {
  await using server = await startTestServer();
  const { base, call, topicUrn } = server;
  const url = `${base}/topics/${topicUrn("a")}`;
  await call("POST", `${base}/topics`, { name: "a" });
  await call("POST", `${url}/subscriptions`, {
    protocol: "email",
    endpoint: "a@example.test",
  });
  assert.equal((await call("DELETE", url)).status, 200);
  assert.equal((await call("GET", url)).status, 404);
  assert.equal((await call("DELETE", url)).status, 404);
  const { body } = await call("GET", `${base}/subscriptions`);
  assert.equal(body.subscription_count, 0);
});

test("filters", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  for (const [name, display_name, enterprise_project_id] of [
    ["disk-alerts", "Disk", "0"],
    ["cpu_alerts", "CPU 100%", "0"],
    ["news", "100 news", "e1"],
  ]) {
    const body = { name, display_name, enterprise_project_id };
    await call("POST", `${base}/topics`, body);
  }
  const { body: all } = await call("GET", `${base}/topics`);
  const names = async (query: string) => {
    const { body } = await call("GET", `${base}/topics?${query}`);
    const found = body.topics.map((topic: { name: string }) => topic.name);
    assert.equal(body.topic_count, found.length);
    return found;
  };
  assert.deepEqual(await names(""), ["news", "cpu_alerts", "disk-alerts"]);
  assert.deepEqual(await names("name=news"), ["news"]);
  assert.deepEqual(await names("name=new"), []);
  assert.deepEqual(await names("fuzzy_name=alert"), [
    "cpu_alerts",
    "disk-alerts",
  ]);
  assert.deepEqual(await names("fuzzy_name=_"), ["cpu_alerts"]);
  assert.deepEqual(await names("fuzzy_display_name=100%25"), ["cpu_alerts"]);
  assert.deepEqual(await names("enterprise_project_id=e1"), ["news"]);
  const everywhere = "enterprise_project_id=all_granted_eps";
  assert.equal((await names(everywhere)).length, 3);
  assert.deepEqual(await names(`topic_id=${all.topics[2].topic_id}`), [
    "disk-alerts",
  ]);
  assert.deepEqual(await names("topic_id=none"), []);
  assert.equal((await names("name=&fuzzy_name=")).length, 3);
});

test("pages link to the next one", async () => {
  await using server = await startTestServer();
  const { app, authorization, base, call } = server;
  for (let i = 1; i <= 5; i++) {
    await call("POST", `${base}/topics`, { name: `t${i}` });
  }
  let url: string | undefined = `${base}/topics?limit=2&fuzzy_name=t`;
  const pages: string[][] = [];
  while (url !== undefined) {
    const response: LightMyRequestResponse = await app.inject({
      url,
      headers: { authorization, host: "smn.example.test:8443" },
    });
    assert.equal(response.headers.link, undefined);
    const body = response.json();
    assert.equal(body.topic_count, 5);
    pages.push(body.topics.map((topic: { name: string }) => topic.name));
    const [next] = body.topics_links ?? [];
    if (next) {
      assert.equal(next.rel, "next");
      assert.ok(next.href.startsWith("http://smn.example.test:8443/v2/"));
    }
    url = next?.href.replace("http://smn.example.test:8443", "");
  }
  assert.deepEqual(pages, [["t5", "t4"], ["t3", "t2"], ["t1"]]);
});

test("pages by marker begin behind it and end by themselves", async () => {
  await using server = await startTestServer();
  const { base, call, topicUrn } = server;
  for (let i = 1; i <= 3; i++) {
    await call("POST", `${base}/topics`, { name: `t${i}` });
  }
  const page = async (marker: string) => {
    const query = new URLSearchParams({ limit: "2", offset: "1", marker });
    const { body } = await call("GET", `${base}/topics?${query}`);
    assert.equal(body.topics_links, undefined, "it is the last page");
    assert.equal(body.topic_count, 3);
    return body.topics.map((topic: { name: string }) => topic.name);
  };
  assert.deepEqual(await page(topicUrn("t3")), ["t2", "t1"]);
  assert.deepEqual(await page(topicUrn("t1")), []);
  assert.deepEqual(await page(topicUrn("unknown")), []);
  assert.deepEqual(await page("t3"), []);
});

test("offset and limit out of bounds are refused", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  for (const query of [
    "offset=-1",
    "offset=x",
    "offset=1.5",
    "offset=",
    "offset=99999999999999999999",
    "limit=0",
    "limit=101",
    "limit=1e1",
    "limit=10&limit=20",
    "offset=0&offset=0",
  ]) {
    for (const list of ["topics", "subscriptions"]) {
      const { status, body } = await call("GET", `${base}/${list}?${query}`);
      assert.deepEqual([status, body.code], [400, "SMN.0015"], query);
    }
  }
  const { body } = await call("GET", `${base}/topics?offset=999999999999999`);
  assert.deepEqual(body.topics, []);
});

test("names and display names that break the rules are refused", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  const codeOf = async (body: unknown) => {
    const answer = await call("POST", `${base}/topics`, body);
    return [answer.status, answer.body.code];
  };
  for (const name of ["", "-a", "ä", "a b", "a:b", "a".repeat(256), 1, null]) {
    assert.deepEqual(await codeOf({ name }), [400, "SMN.0002"], String(name));
  }
  for (const body of [{}, [], "text", 1, null]) {
    assert.deepEqual(await codeOf(body), [400, "SMN.0002"]);
  }
  for (const display_name of ["é".repeat(97), 5, ["x"], "a\r\nBcc: x"]) {
    const body = { name: "a", display_name };
    assert.deepEqual(await codeOf(body), [400, "SMN.0003"]);
  }
  const { body } = await call("GET", `${base}/topics`);
  assert.equal(body.topic_count, 0);
});

test("a project has so many topics and no more", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  for (let i = 0; i < 150; i++) {
    await call("POST", `${base}/topics`, { name: `t${i}` });
  }
  const { status, body } = await call("POST", `${base}/topics`, { name: "x" });
  assert.deepEqual([status, body.code], [403, "SMN.0004"]);
});

test("another project's topic is as if it were not there", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  for (const urn of [
    `urn:smn:test-1:${"f".repeat(32)}:a`,
    `urn:smn:other:${server.credentials.project.id}:a`,
  ]) {
    const { status, body } = await call("GET", `${base}/topics/${urn}`);
    assert.deepEqual([status, body.code], [404, "SMN.0006"]);
  }
});
