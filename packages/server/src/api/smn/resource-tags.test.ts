import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

async function setUp() {
  const server = await startTestServer();
  const ids = {
    a: await addTopic(server, "a"),
    b: await addTopic(server, "b"),
    tags: await addTopic(server, "tags"),
  };
  const base = `/v2/${server.credentials.project.id}/smn_topic`;
  const put = (id: string, key: string, value: unknown) =>
    server.call("POST", `${base}/${id}/tags`, { tag: { key, value } });
  const tagsOf = async (id: string) =>
    (await server.call("GET", `${base}/${id}/tags`)).body.tags;
  return { server, base, ids, put, tagsOf };
}

async function addTopic(server: TestServer, name: string): Promise<string> {
  await server.call("POST", `${server.base}/topics`, { name });
  const url = `${server.base}/topics/${server.topicUrn(name)}`;
  return (await server.call("GET", url)).body.topic_id;
}

test("tags are added, replaced, listed and deleted, without a body", async () => {
  const { server, base, ids, put, tagsOf } = await setUp();
  await using _ = server;
  const added = await put(ids.a, "env", "test");
  assert.deepEqual([added.status, added.body], [204, ""]);
  await put(ids.a, "p/a?t%h \u{1F514}", undefined);
  await put(ids.a, "env", "prod");
  assert.deepEqual(await tagsOf(ids.a), [
    { key: "env", value: "prod" },
    { key: "p/a?t%h \u{1F514}", value: "" },
  ]);
  const key = encodeURIComponent("p/a?t%h \u{1F514}");
  const path = `${base}/${ids.a}/tags/${key}`;
  const deleted = await server.call("DELETE", path);
  assert.deepEqual([deleted.status, deleted.body], [204, ""]);
  const again = await server.call("DELETE", path);
  assert.deepEqual([again.status, again.body.code], [404, "SMN.0045"]);
  assert.deepEqual(await tagsOf(ids.a), [{ key: "env", value: "prod" }]);
  const list = await server.call("GET", `${base}/${ids.a}/tags`);
  assert.deepEqual(Object.keys(list.body), ["tags"]);
});

test("a topic is named by its id, its URN, or its name when a header says so", async () => {
  const { server, base, ids, put, tagsOf } = await setUp();
  await using _ = server;
  await put(ids.tags, "k", "v");
  const expected = [{ key: "k", value: "v" }];
  assert.deepEqual(await tagsOf(server.topicUrn("tags")), expected);
  const byName = (id: string, header: string) =>
    server.app.inject({
      url: `${base}/${id}/tags`,
      headers: {
        authorization: server.authorization,
        "x-smn-resourceid-type": header,
      },
    });
  assert.deepEqual((await byName("tags", "name")).json().tags, expected);
  assert.deepEqual((await byName("tags", "NAME")).json().tags, expected);
  assert.deepEqual((await byName(ids.tags, "id")).json().tags, expected);
  for (const [id, header] of [
    ["tags", "id"],
    [ids.tags, "name"],
    ["none", "name"],
    ["%00", "name"],
    [server.topicUrn("none"), "id"],
    [server.topicUrn("tags").replace("test-1", "other"), "id"],
    [`urn:smn:test-1:${"f".repeat(32)}:tags`, "id"],
  ] as const) {
    const response = await byName(id, header);
    assert.equal(response.statusCode, 404, id);
    assert.equal(response.json().code, "SMN.0006");
  }
});

test("a batch is done whole or not at all", async () => {
  const { server, base, ids, tagsOf } = await setUp();
  await using _ = server;
  const act = (body: unknown) =>
    server.call("POST", `${base}/${ids.a}/tags/action`, body);
  const env = { key: "env", value: "prod" };
  const team = { key: "team", value: "ops" };
  const created = await act({ action: "create", tags: [env, team] });
  assert.deepEqual([created.status, created.body], [204, ""]);
  const many = Array.from({ length: 19 }, (_, i) => ({ key: `k${i}` }));
  for (const [body, code] of [
    [{ action: "create", tags: many }, "SMN.0038"],
    [{ action: "create", tags: [env, env] }, "SMN.0038"],
    [{ action: "create", tags: [{ key: "" }] }, "SMN.0038"],
    [{ action: "create", tags: [{ key: "k".repeat(129) }] }, "SMN.0038"],
    [{ action: "create", tags: [{ ...env, value: 5 }] }, "SMN.0038"],
    [
      { action: "create", tags: [{ ...env, value: "v".repeat(256) }] },
      "SMN.0038",
    ],
    [{ action: "create", tags: [] }, "SMN.0038"],
    [{ action: "create", tags: [null] }, "SMN.0038"],
    [{ action: "create" }, "SMN.0038"],
    [{ action: "delete", tags: "env" }, "SMN.0038"],
    [{ action: "Create", tags: [env] }, "SMN.0073"],
    [{ tags: [env] }, "SMN.0073"],
    [undefined, "SMN.0073"],
    [[], "SMN.0073"],
  ] as const) {
    const { status, body: answer } = await act(body);
    const note = JSON.stringify(body)?.slice(0, 80);
    assert.deepEqual([status, answer.code], [400, code], note);
  }
  assert.deepEqual(await tagsOf(ids.a), [env, team]);
  const removed = await act({
    action: "delete",
    tags: [{ key: "env", value: "other" }, { key: "none" }],
  });
  assert.equal(removed.status, 204);
  assert.deepEqual(await tagsOf(ids.a), [team]);
  const full = [...many, { key: "full" }];
  assert.equal((await act({ action: "create", tags: full })).status, 400);
  const fits = await act({ action: "create", tags: many });
  assert.equal(fits.status, 204);
});

test("one tag that is wrong is refused", async () => {
  const { server, base, ids } = await setUp();
  await using _ = server;
  for (const body of [
    { tag: null },
    { tag: [] },
    { tag: { key: "a\u0000" } },
    { tag: { value: "v" } },
    {},
    [],
    undefined,
  ]) {
    const url = `${base}/${ids.a}/tags`;
    const answer = await server.call("POST", url, body);
    assert.deepEqual([answer.status, answer.body.code], [400, "SMN.0038"]);
  }
  const other = base.replace("smn_topic", "smn_sms");
  const unknown = await server.call("GET", `${other}/${ids.a}/tags`);
  assert.deepEqual([unknown.status, unknown.body.code], [404, "APIGW.0101"]);
});

test("a project's tags are listed once each, by key", async () => {
  const { server, base, ids, put } = await setUp();
  await using _ = server;
  await put(ids.a, "team", "ops");
  await put(ids.a, "env", "test");
  await put(ids.b, "env", "prod");
  await put(ids.tags, "env", "prod");
  const { status, body } = await server.call("GET", `${base}/tags`);
  assert.equal(status, 200);
  assert.deepEqual(body, {
    tags: [
      { key: "env", values: ["prod", "test"] },
      { key: "team", values: ["ops"] },
    ],
  });
});

test("topics are found and counted by their tags", async () => {
  const { server, base, ids, put } = await setUp();
  await using _ = server;
  await put(ids.a, "env", "prod");
  await put(ids.b, "env", "test");
  await put(ids.b, "team", "ops");
  const ask = (body: unknown) =>
    server.call("POST", `${base}/resource_instances/action`, body);
  const find = async (filter: object, page: object = {}) => {
    const asked = { action: "filter", ...filter, ...page };
    const { status, body } = await ask(asked);
    assert.equal(status, 200, body.message);
    const counted = await ask({ action: "count", ...filter });
    assert.deepEqual(counted.body, { total_count: body.total_count });
    return body.resources.map(
      ({ resource_name }: { resource_name: string }) => resource_name,
    );
  };
  const env = (...values: string[]) => [{ key: "env", values }];
  assert.deepEqual(await find({}), ["tags", "b", "a"]);
  assert.deepEqual(await find({ tags: env("prod", "test") }), ["b", "a"]);
  assert.deepEqual(await find({ tags_any: env() }), ["b", "a"]);
  assert.deepEqual(await find({ not_tags: env("prod") }), ["tags", "b"]);
  assert.deepEqual(await find({ not_tags_any: env("*o") }), ["tags", "b"]);
  assert.deepEqual(await find({ without_any_tag: true }), ["tags"]);
  const named = [{ key: "resource_name", value: "b" }];
  assert.deepEqual(await find({ matches: named }), ["b"]);
  const page = { offset: "1", limit: "1" };
  assert.deepEqual(await find({ tags: env() }, page), ["a"]);
  assert.deepEqual(await find({}, { offset: "3" }), []);

  const { body } = await ask({ action: "filter", matches: named });
  assert.deepEqual(body, {
    resources: [
      {
        resource_id: ids.b,
        resource_name: "b",
        resource_detail: {
          topic_urn: server.topicUrn("b"),
          display_name: "",
          enterprise_project_id: "0",
          detailId: ids.b,
        },
        tags: [
          { key: "env", value: "test" },
          { key: "team", value: "ops" },
        ],
      },
    ],
    total_count: 1,
  });
  for (const [wrong, code] of [
    [{}, "SMN.0073"],
    [undefined, "SMN.0073"],
    [{ action: "COUNT" }, "SMN.0073"],
    [{ action: "filter", limit: "1001" }, "SMN.0015"],
    [{ action: "filter", offset: "-1" }, "SMN.0015"],
    [{ action: "filter", tags: "env" }, "SMN.0038"],
    [{ action: "filter", tags: [...env(), ...env()] }, "SMN.0038"],
    [{ action: "count", without_any_tag: "true" }, "SMN.0038"],
  ] as const) {
    const answer = await ask(wrong);
    assert.deepEqual([answer.status, answer.body.code], [400, code]);
  }
});

test("topics are listed with all that belongs to them", async () => {
  const { server, ids, put } = await setUp();
  await using _ = server;
  await put(ids.b, "env", "prod");
  const logtank = { log_group_id: "group", log_stream_id: "stream" };
  const ofB = `${server.base}/topics/${server.topicUrn("b")}/logtanks`;
  await server.call("POST", ofB, logtank);
  const url = `${server.base}/topics-with-associated-resources`;
  const { status, body } = await server.call("GET", `${url}?limit=2`);
  assert.equal(status, 200);
  assert.equal(body.topic_count, 3);
  assert.ok(body.request_id);
  assert.match(body.topics_links[0].href, /marker=urn%3Asmn%3A.*%3Ab$/);
  const [first, second] = body.topics;
  assert.equal(first.name, "tags");
  assert.deepEqual(first.tags, []);
  assert.deepEqual(second.tags, [{ key: "env", value: "prod" }]);
  assert.deepEqual(second.attributes, {
    access_policy: "",
    create_time: second.create_time,
    update_time: second.update_time,
  });
  assert.deepEqual(first.logtanks, []);
  const { logtanks } = (await server.call("GET", ofB)).body;
  assert.equal(logtanks[0].log_group_id, "group");
  assert.deepEqual(second.logtanks, logtanks);
  const named = await server.call("GET", `${url}?name=b`);
  assert.equal(named.body.topic_count, 1);
  const marked = await server.call(
    "GET",
    `${url}?limit=5&marker=${server.topicUrn("b")}`,
  );
  assert.equal(marked.body.topics[0].name, "a");
  const refused = await server.call("GET", `${url}?limit=0`);
  assert.equal(refused.body.code, "SMN.0015");
});

test("a deleted topic leaves no tags behind", async () => {
  const { server, base, ids, put, tagsOf } = await setUp();
  await using _ = server;
  await put(ids.a, "env", "prod");
  const url = `${server.base}/topics/${server.topicUrn("a")}`;
  await server.call("DELETE", url);
  const { body } = await server.call("GET", `${base}/tags`);
  assert.deepEqual(body.tags, []);
  assert.deepEqual(await tagsOf(await addTopic(server, "a")), []);
});
