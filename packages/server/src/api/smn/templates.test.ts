import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp() {
  const server = await startTestServer();
  const url = `${server.base}/message_template`;
  const create = (body: unknown) => server.call("POST", url, body);
  return { server, url, create };
}

test("a template is created, shown, updated and deleted", async () => {
  const { server, url, create } = await setUp();
  await using _ = server;
  const content = "Disk {disk} on {host}: {disk} is full\n";
  const created = await create({ message_template_name: "disk", content });
  assert.equal(created.status, 201);
  assert.match(created.body.request_id, /^[0-9a-f]{32}$/);
  const id = created.body.message_template_id;
  const one = `${url}/${id}`;

  const shown = await server.call("GET", one);
  assert.equal(shown.status, 200);
  const { request_id, create_time, update_time, ...members } = shown.body;
  assert.match(request_id, /^[0-9a-f]{32}$/);
  assert.match(create_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(update_time, create_time);
  assert.deepEqual(members, {
    message_template_id: id,
    message_template_name: "disk",
    protocol: "default",
    tag_names: ["disk", "host"],
    content,
  });

  await server.clock.advanceSettled(2000);
  const updated = await server.call("PUT", one, {
    content: "no tags",
    message_template_name: "ignored",
    message_template_id: id,
    protocol: "sms",
  });
  assert.equal(updated.status, 200);
  const again = (await server.call("GET", one)).body;
  assert.equal(again.content, "no tags");
  assert.deepEqual(again.tag_names, []);
  assert.equal(again.message_template_name, "disk");
  assert.equal(again.protocol, "default");
  assert.equal(again.create_time, create_time);
  assert.notEqual(again.update_time, create_time);

  const deleted = await server.call("DELETE", one);
  assert.deepEqual(
    [deleted.status, Object.keys(deleted.body)],
    [200, ["request_id"]],
  );
  for (const method of ["GET", "DELETE"] as const) {
    const gone = await server.call(method, one);
    assert.deepEqual([gone.status, gone.body.code], [404, "SMN.0027"]);
  }
});

test("a template for the retired protocol dms is kept", async () => {
  const { server, url, create } = await setUp();
  await using _ = server;
  const body = { message_template_name: "a", content: "x", protocol: "dms" };
  assert.equal((await create(body)).status, 201);
  const { message_templates } = (await server.call("GET", url)).body;
  assert.equal(message_templates[0].protocol, "dms");
});

test("lists go on by offset, by marker and while items are deleted", async () => {
  const { server, url, create } = await setUp();
  await using _ = server;
  const names = ["a", "b", "c"];
  for (const name of names) {
    await create({ message_template_name: name, content: "x" });
  }
  await create({ message_template_name: "b", content: "x", protocol: "sms" });
  type Item = { message_template_id: string; message_template_name: string };
  const list = async (query: string) => {
    const { body } = await server.call("GET", `${url}?${query}`);
    const items: Item[] = body.message_templates;
    return { body, names: items.map((it) => it.message_template_name), items };
  };
  const all = await list("");
  assert.deepEqual(all.names, ["a", "b", "c", "b"]);
  assert.equal(all.body.message_template_count, 4);
  assert.ok(!("content" in all.body.message_templates[0]));
  const page = await list("limit=1&offset=1&message_template_name=");
  assert.deepEqual(page.names, ["b"]);
  const next = new URL(page.body.message_templates_links[0].href);
  assert.equal(
    next.searchParams.get("marker"),
    page.items[0]?.message_template_id,
  );
  const named = await list("message_template_name=b");
  assert.deepEqual(named.names, ["b", "b"]);
  assert.equal(named.body.message_template_count, 2);
  assert.deepEqual((await list("protocol=sms")).names, ["b"]);
  assert.deepEqual((await list("protocol=none")).names, []);

  const seen: string[] = [];
  let { items } = await list("limit=1");
  while (items[0]) {
    const { message_template_id: id, message_template_name: name } = items[0];
    seen.push(name);
    await server.call("DELETE", `${url}/${id}`);
    ({ items } = await list(`limit=1&marker=${id}`));
  }
  assert.deepEqual(seen, ["a", "b", "c", "b"]);
  for (const query of ["limit=0", "limit=101", "offset=-1", "offset=x"]) {
    const { body } = await list(query).catch(() =>
      server.call("GET", `${url}?${query}`),
    );
    assert.equal(body.code, "SMN.0015", query);
  }
});

test("each field that is wrong has its status and code", async () => {
  const { server, url, create } = await setUp();
  await using _ = server;
  const name = "disk";
  const content = "x";
  const created = await create({ message_template_name: name, content });
  const tags = (n: number) =>
    Array.from({ length: n }, (_, i) => `{t${i}}`).join("");
  const creations = [
    [{ content }, 400, "SMN.0032"],
    [{ message_template_name: "-a", content }, 400, "SMN.0032"],
    [{ message_template_name: "a".repeat(65), content }, 400, "SMN.0032"],
    [{ message_template_name: 5, content }, 400, "SMN.0032"],
    [{ message_template_name: name }, 400, "SMN.0024"],
    [{ message_template_name: name, content: "" }, 400, "SMN.0024"],
    [{ message_template_name: name, content: {} }, 400, "SMN.0024"],
    [
      { message_template_name: "a", content: "x".repeat(262_145) },
      400,
      "SMN.0024",
    ],
    [{ message_template_name: "a", content: tags(91) }, 403, "SMN.0075"],
    [
      { message_template_name: "a", content: "{a}".repeat(257) },
      403,
      "SMN.0075",
    ],
    [{ message_template_name: "a", content, protocol: "x" }, 400, "SMN.0011"],
    [{ message_template_name: "a", content, protocol: [] }, 400, "SMN.0011"],
    [{ message_template_name: name, content }, 400, "SMN.0025"],
    [
      { message_template_name: name, content, protocol: "default" },
      400,
      "SMN.0025",
    ],
    [undefined, 400, "SMN.0032"],
    [[], 400, "SMN.0032"],
  ] as const;
  for (const [body, status, code] of creations) {
    const answer = await create(body);
    const note = JSON.stringify(body)?.slice(0, 80);
    assert.deepEqual([answer.status, answer.body.code], [status, code], note);
  }
  const one = `${url}/${created.body.message_template_id}`;
  const updates = [
    [one, {}, 400, "SMN.0024"],
    [one, { content: null }, 400, "SMN.0024"],
    [one, undefined, 400, "SMN.0024"],
    [one, { content: tags(91) }, 403, "SMN.0075"],
    [`${url}/${name}`, { content }, 400, "SMN.0031"],
    [`${url}/${"0".repeat(32)}`, { content }, 404, "SMN.0027"],
  ] as const;
  for (const [path, body, status, code] of updates) {
    const answer = await server.call("PUT", path, body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], path);
  }
  assert.equal((await server.call("GET", one)).body.content, content);
  assert.equal((await server.call("GET", url)).body.message_template_count, 1);
});

test("limits themselves are allowed", async () => {
  const { server, url, create } = await setUp();
  await using _ = server;
  const contents = [
    "x".repeat(262_144),
    Array.from({ length: 90 }, (_, i) => `{t${i}}`).join(""),
    "{a}".repeat(256),
    "{ not a tag }}{{",
  ];
  for (const [i, content] of contents.entries()) {
    const name = `${"n".repeat(63)}${i}`;
    const answer = await create({ message_template_name: name, content });
    assert.equal(answer.status, 201, answer.body.message);
    const one = `${url}/${answer.body.message_template_id}`;
    assert.equal((await server.call("GET", one)).body.content, content);
  }
});

test("a project has at most a hundred templates", async () => {
  const { server, create } = await setUp();
  await using _ = server;
  for (let i = 0; i < 100; i++) {
    const body = { message_template_name: `t${i}`, content: "x" };
    assert.equal((await create(body)).status, 201);
  }
  const { status, body } = await create({
    message_template_name: "one-more",
    content: "x",
  });
  assert.deepEqual([status, body.code], [400, "SMN.0044"]);
});

test("a message by template is what its variants say when it is published", async () => {
  const { server, url, create } = await setUp();
  await using _ = server;
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const publish = (body: unknown) =>
    server.call(
      "POST",
      `${server.base}/topics/${server.topicUrn("a")}/publish`,
      body,
    );
  const message_template_name = "disk";
  const byTemplate = { message_template_name, message: "not this" };
  const codeOf = async (body: unknown) => (await publish(body)).body.code;
  assert.equal(await codeOf(byTemplate), "SMN.0027");
  const sms = await create({
    message_template_name,
    protocol: "sms",
    content: "{disk}!",
  });
  assert.equal(await codeOf(byTemplate), "SMN.0076");
  const common = await create({
    message_template_name,
    content: "{disk} of {host}",
  });

  const variantsOf = async (body: unknown) => {
    const answer = await publish(body);
    assert.equal(answer.status, 200, answer.body.message);
    const path = `/api/v2/messages/${answer.body.message_id}`;
    return async () => (await server.call("GET", path)).body.variants;
  };
  const full = await variantsOf({
    ...byTemplate,
    tags: { disk: "{host}", host: "db", unused: "x" },
  });
  const bare = await variantsOf(byTemplate);
  const structure = await variantsOf({
    ...byTemplate,
    message_structure: '{"default":"this"}',
  });
  // What becomes of a template does not change what was accepted.
  const { message_template_id } = common.body;
  await server.call("PUT", `${url}/${message_template_id}`, { content: "new" });
  await server.call("DELETE", `${url}/${sms.body.message_template_id}`);
  assert.deepEqual(await full(), { default: "{host} of db", sms: "{host}!" });
  assert.deepEqual(await bare(), { default: " of ", sms: "!" });
  assert.deepEqual(await structure(), { default: "this" });
  const later = await variantsOf(byTemplate);
  assert.deepEqual(await later(), { default: "new" });

  const absent = `${server.base}/topics/${server.topicUrn("b")}/publish`;
  const none = { message_template_name: "none" };
  const refused = await server.call("POST", absent, none);
  assert.equal(refused.body.code, "SMN.0006");
  for (const [tags, code] of [
    [{ ["k".repeat(22)]: "v" }, "SMN.0038"],
    [{ k: "v".repeat(1025) }, "SMN.0038"],
    [{ k: 1 }, "SMN.0038"],
    ["x", "SMN.0038"],
  ] as const) {
    assert.equal(await codeOf({ ...byTemplate, tags }), code);
  }
  const big = Object.fromEntries([["disk", "x".repeat(1024)]]);
  await create({
    message_template_name: "big",
    content: "{disk}".repeat(256) + "y".repeat(1024),
  });
  const tooBig = await publish({ message_template_name: "big", tags: big });
  assert.deepEqual([tooBig.status, tooBig.body.code], [403, "SMN.0009"]);
});
