import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

interface List {
  /** Path below the server's. */
  readonly path: (server: TestServer) => string;
  readonly key: string;
  readonly countKey: string;
  readonly idKey: string;
  /** Makes the n-th item. */
  readonly add: (server: TestServer, n: number) => Promise<unknown>;
  /** The path that deletes one. */
  readonly one: (server: TestServer, id: string) => string;
}

const addTopic = ({ call, base }: TestServer, n: number) =>
  call("POST", `${base}/topics`, { name: `t${n}` });

const subscribe = async ({ call, base, topicUrn }: TestServer, n: number) => {
  if (n === 0) await call("POST", `${base}/topics`, { name: "of" });
  return await call("POST", `${base}/topics/${topicUrn("of")}/subscriptions`, {
    protocol: "email",
    endpoint: `a${n}@example.test`,
  });
};

const topic = {
  key: "topics",
  countKey: "topic_count",
  idKey: "topic_urn",
  add: addTopic,
  one: ({ base }: TestServer, id: string) => `${base}/topics/${id}`,
};

const subscription = {
  key: "subscriptions",
  countKey: "subscription_count",
  idKey: "subscription_urn",
  add: subscribe,
  one: ({ base }: TestServer, id: string) => `${base}/subscriptions/${id}`,
};

const domainPath = ({ domainId }: { domainId: string }) =>
  `/v2/${domainId}/subscription-users`;

const lists: Record<string, List> = {
  topics: { ...topic, path: ({ base }) => `${base}/topics` },
  "topics with their resources": {
    ...topic,
    path: ({ base }) => `${base}/topics-with-associated-resources`,
  },
  subscriptions: {
    ...subscription,
    path: ({ base }) => `${base}/subscriptions`,
  },
  "a topic's subscriptions": {
    ...subscription,
    path: ({ base, topicUrn }) =>
      `${base}/topics/${topicUrn("of")}/subscriptions`,
  },
  "message templates": {
    path: ({ base }) => `${base}/message_template`,
    key: "message_templates",
    countKey: "message_template_count",
    idKey: "message_template_id",
    add: ({ call, base }, n) =>
      call("POST", `${base}/message_template`, {
        message_template_name: `t${n}`,
        content: "x",
      }),
    one: ({ base }, id) => `${base}/message_template/${id}`,
  },
  "subscription users": {
    path: (server) => domainPath(server),
    key: "subscription_users",
    countKey: "subscription_user_count",
    idKey: "id",
    add: (server, n) =>
      server.call("POST", domainPath(server), {
        name: `u${n}`,
        protocol: "email",
        endpoint: `a${n}@example.test`,
      }),
    one: (server, id) => `${domainPath(server)}/${id}`,
  },
};

for (const [name, list] of Object.entries(lists)) {
  const { key, countKey, idKey, path, add, one } = list;

  async function setUp(count: number) {
    const server = await startTestServer();
    for (let n = 0; n < count; n++) await add(server, n);
    const get = async (query: string) => {
      const { status, body } = await server.call(
        "GET",
        `${path(server)}?${query}`,
      );
      assert.equal(status, 200);
      const ids: string[] = body[key].map((item: never) => item[idKey]);
      const href: string | undefined = body[`${key}_links`]?.[0].href;
      const next = href === undefined ? undefined : new URL(href).search;
      return { body, ids, next: next?.slice(1) };
    };
    return { server, get };
  }

  test(`walking ${name} by links misses nothing that is deleted on the way`, async () => {
    const { server, get } = await setUp(25);
    await using _ = server;
    const walked: string[] = [];
    let next: string | undefined = "limit=10";
    const sizes: number[] = [];
    while (next !== undefined) {
      const page = await get(next);
      sizes.push(page.ids.length);
      walked.push(...page.ids);
      for (const id of page.ids) {
        assert.equal(
          (await server.call("DELETE", one(server, id))).status,
          200,
        );
      }
      next = page.next;
    }
    assert.deepEqual(sizes, [10, 10, 5]);
    assert.equal(new Set(walked).size, 25);
    assert.deepEqual((await get("")).ids, []);
  });

  test(`walking ${name} by own markers misses nothing either`, async () => {
    const { server, get } = await setUp(25);
    await using _ = server;
    let walked = 0;
    let { ids } = await get("limit=10");
    while (ids.length > 0) {
      walked += ids.length;
      for (const id of ids) await server.call("DELETE", one(server, id));
      const marker = encodeURIComponent(ids.at(-1) ?? "");
      // As openstacksdk: the offset of the first request stays.
      ({ ids } = await get(`limit=10&offset=0&marker=${marker}`));
    }
    assert.equal(walked, 25);
  });

  test(`links go through all of ${name}, from any offset`, async () => {
    const { server, get } = await setUp(12);
    await using _ = server;
    const all = await get("");
    assert.equal(all.ids.length, 12);
    assert.equal(all.body[countKey], 12);
    assert.equal(all.next, undefined);
    for (const [offset, limit] of [
      [0, 12],
      [0, 6],
      [0, 5],
      [3, 4],
      [11, 1],
      [12, 1],
    ] as const) {
      const walked: string[] = [];
      let next: string | undefined = `offset=${offset}&limit=${limit}`;
      while (next !== undefined) {
        const page = await get(next);
        assert.equal(page.body[countKey], 12);
        assert.ok(page.ids.length <= limit);
        walked.push(...page.ids);
        next = page.next;
        if (next !== undefined) {
          assert.match(next, /marker=/);
          assert.doesNotMatch(next, /offset=/);
        }
      }
      assert.deepEqual(walked, all.ids.slice(offset), `${offset}, ${limit}`);
    }
    assert.deepEqual((await get("marker=unknown")).ids, []);
  });
}

test("a topic that was made again on the way is a marker as well", async () => {
  await using server = await startTestServer();
  const { call, base, topicUrn } = server;
  for (let n = 0; n < 4; n++) await addTopic(server, n);
  await call("DELETE", `${base}/topics/${topicUrn("t2")}`);
  await addTopic(server, 2);
  const page = async () => {
    const query = `limit=10&marker=${topicUrn("t2")}`;
    const { body } = await call("GET", `${base}/topics?${query}`);
    return body.topics.map((one: { name: string }) => one.name);
  };
  assert.deepEqual(await page(), ["t3", "t1", "t0"]);
  await call("DELETE", `${base}/topics/${topicUrn("t2")}`);
  assert.deepEqual(await page(), ["t3", "t1", "t0"]);
});
