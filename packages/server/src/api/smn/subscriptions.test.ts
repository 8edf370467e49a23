import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
  tokenIn,
} from "../../../test-support/test-server.ts";

async function setUp(options: Parameters<typeof startTestServer>[0] = {}) {
  const server = await startTestServer(options);
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const url = `${server.base}/topics/${server.topicUrn("a")}/subscriptions`;
  return { server, url };
}

async function subscribe(
  server: TestServer,
  url: string,
  endpoint: string,
): Promise<string> {
  const protocol = endpoint.includes("@") ? "email" : "https";
  const { body } = await server.call("POST", url, { protocol, endpoint });
  return body.subscription_urn;
}

test("the same endpoint again answers the subscription there is", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const body = { protocol: "sms", endpoint: "+491700000000", remark: "O&M" };
  const first = await server.call("POST", url, body);
  const again = await server.call("POST", url, body);
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.equal(again.body.subscription_urn, first.body.subscription_urn);
  const list = await server.call("GET", url);
  assert.equal(list.body.subscriptions[0].remark, "O&M");
});

test("protocols that are not delivered by are refused by name", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  for (const protocol of [
    "functionstage",
    "functiongraph",
    "callnotify",
    "dingding",
    "dingTalkBot",
    "feishu",
    "wechat",
    "welink",
  ]) {
    const body = { protocol, endpoint: "https://example.test/robot" };
    const refused = await server.call("POST", url, body);
    assert.deepEqual([refused.status, refused.body.code], [400, "SMN.0011"]);
    assert.equal(
      refused.body.message,
      `Nothing is delivered by the protocol ${protocol} here yet: use one of http, https, email, sms.`,
    );
  }
  const other = { protocol: "pigeon", endpoint: "coo" };
  const { body } = await server.call("POST", url, other);
  assert.match(body.message, /^Invalid protocol: use one of/);
  assert.equal((await server.call("GET", url)).body.subscription_count, 0);
});

test("a new subscription is asked to confirm", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  await subscribe(server, url, "a@example.test");
  await server.clock.advanceSettled(100);
  assert.equal(server.sent[0]?.message.content.kind, "confirmation");
  assert.equal(server.sent[0]?.recipient.endpoint, "a@example.test");
});

test("a remark is changed, cleared and checked", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const urn = await subscribe(server, url, "a@example.test");
  const remarkOf = async () => {
    const { body } = await server.call("GET", url);
    return body.subscriptions[0].remark;
  };
  const set = (body: unknown, of = urn) =>
    server.call("PUT", `${url}/${of}`, body);

  const { status, body } = await set({ remark: "new" });
  assert.equal(status, 200);
  assert.equal(body.subscription_urn, urn);
  assert.equal(await remarkOf(), "new");
  for (const remark of ["ü".repeat(65), 5, ["x"]]) {
    const refused = await set({ remark });
    assert.deepEqual(
      [refused.status, refused.body.code],
      [400, "SMN.0017"],
      String(remark),
    );
  }
  assert.equal(await remarkOf(), "new");
  assert.equal((await set({})).status, 200);
  assert.equal(await remarkOf(), "");

  const unknown = `${server.topicUrn("a")}:${"0".repeat(32)}`;
  assert.equal((await set({ remark: "x" }, unknown)).body.code, "SMN.0013");
  assert.equal((await set({ remark: "x" }, "bad")).body.code, "SMN.0014");
  await server.call("POST", `${server.base}/topics`, { name: "b" });
  const elsewhere = url.replace(/:a\//, ":b/");
  const wrongTopic = await server.call("PUT", `${elsewhere}/${urn}`, {
    remark: "x",
  });
  assert.equal(wrongTopic.body.code, "SMN.0013");
});

test("a text message with a code is confirmed by it, after few attempts at most", async () => {
  const { server, url } = await setUp({ trustedProxies: ["127.0.0.0/8"] });
  await using _ = server;
  const endpoint = "+491700000000";
  await server.call("POST", url, {
    protocol: "sms",
    endpoint,
    extension: { verification_code_enabled: true },
  });
  await server.clock.advanceSettled(1000);
  const content = server.sent.at(-1)?.message.content;
  assert.ok(content?.kind === "confirmation");
  const code = tokenIn(content);
  assert.match(code, /^\d{6}$/);
  const confirm = async (
    token: string,
    to = endpoint,
    sender = "2001:db8::1",
  ) => {
    const query = new URLSearchParams({
      token,
      topic_urn: server.topicUrn("a"),
      endpoint: to,
    });
    const path = "/rest/v2/notifications/subscription/confirm";
    const response = await server.app.inject({
      url: `${path}?${query}`,
      headers: { "x-forwarded-for": `192.0.2.99, ${sender}` },
    });
    return response.statusCode;
  };
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  assert.equal(await confirm(code, "+491700000001"), 403);
  for (let n = 0; n < 5; n++) assert.equal(await confirm(wrong), 403);
  assert.equal(await confirm(code), 403);
  const samePlace = await confirm(code, endpoint, "2001:db8::2");
  assert.equal(samePlace, 403);
  await server.clock.advanceSettled(3_600_000);
  // Many at once are no way around.
  const tries = Array.from({ length: 6 }, (_, n) => (n < 5 ? wrong : code));
  const answers = await Promise.all(tries.map((token) => confirm(token)));
  assert.deepEqual(answers, [403, 403, 403, 403, 403, 403]);
  // A stranger's guesses keep out nobody else.
  assert.equal(await confirm(code, endpoint, "192.0.2.7"), 200);
  const list = await server.call("GET", url);
  assert.equal(list.body.subscriptions[0].status, 1);
  const refused = await server.call("POST", url, {
    protocol: "sms",
    endpoint,
    extension: { verification_code_enabled: "yes" },
  });
  assert.equal(refused.body.code, "SMN.0043");
});

test("a batch answers for each of its parts", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  await subscribe(server, url, "there@example.test");
  const { status, body } = await server.call("POST", url, {
    subscriptions: [
      { protocol: "email", endpoint: "there@example.test" },
      { protocol: "email", endpoint: "new@example.test", remark: "r" },
      { protocol: "email", endpoint: "nope" },
      { protocol: "pigeon", endpoint: "x" },
      { protocol: "sms", endpoint: "+491700000000", remark: 5 },
      "text",
    ],
  });
  assert.equal(status, 201);
  const results = body.subscriptions_result;
  assert.deepEqual(
    results.map((r: { http_code: number; code?: string }) => [
      r.http_code,
      r.code,
    ]),
    [
      [200, undefined],
      [201, undefined],
      [400, "SMN.0012"],
      [400, "SMN.0011"],
      [400, "SMN.0017"],
      [400, "SMN.0043"],
    ],
  );
  const ids = new Set(results.map((r: { request_id: string }) => r.request_id));
  assert.equal(ids.size, 6);
  assert.equal(results[2].endpoint, "nope");
});

test("a batch is neither empty nor longer than 50, and needs its topic", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const item = { protocol: "email", endpoint: "a@example.test" };
  for (const subscriptions of [[], Array(51).fill(item), "x", {}]) {
    const { status, body } = await server.call("POST", url, { subscriptions });
    assert.deepEqual([status, body.code], [400, "SMN.0043"]);
  }
  const gone = url.replace(":a/", ":b/");
  const body = { subscriptions: [item] };
  assert.equal((await server.call("POST", gone, body)).body.code, "SMN.0006");
  const list = await server.call("GET", url);
  assert.equal(list.body.subscription_count, 0);
});

test("each field that is wrong has its code", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const good = { protocol: "https", endpoint: "https://a.test/" };
  const cases = [
    [{ ...good, protocol: 1 }, "SMN.0011"],
    [{ endpoint: good.endpoint }, "SMN.0011"],
    [{ ...good, endpoint: {} }, "SMN.0012"],
    [{ protocol: "https" }, "SMN.0012"],
    [{ ...good, endpoint: "http://a.test/" }, "SMN.0012"],
    [{ protocol: "email", endpoint: "a@b@c" }, "SMN.0012"],
    [{ protocol: "sms", endpoint: "0170" }, "SMN.0012"],
    [{ ...good, remark: ["x"] }, "SMN.0017"],
    [{ ...good, remark: "é".repeat(65) }, "SMN.0017"],
    [{ ...good, extension: "x" }, "SMN.0043"],
    [{ ...good, extension: { header: { "x-smn-a": "b" } } }, "SMN.0043"],
    [{ ...good, extension: { header: { "x-a": "b\r\nc: d" } } }, "SMN.0043"],
    [[], "SMN.0043"],
    [null, "SMN.0043"],
    [undefined, "SMN.0043"],
  ] as const;
  for (const [body, code] of cases) {
    const answer = await server.call("POST", url, body);
    assert.deepEqual(
      [answer.status, answer.body.code],
      [400, code],
      JSON.stringify(body),
    );
  }
});

test("lists are filtered", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  await subscribe(server, url, "https://a.test/");
  await server.call("POST", url, {
    protocol: "email",
    endpoint: "a@example.test",
    remark: "on call 50%",
  });
  await server.clock.advanceSettled(100);
  const confirmation = server.sent.find(
    ({ recipient }) => recipient.protocol === "email",
  );
  assert.equal(confirmation?.message.content.kind, "confirmation");
  const token = tokenIn(confirmation.message.content);
  await server.call("GET", `/smn/subscription/confirm?token=${token}`);
  const endpoints = async (query: string) => {
    const { body } = await server.call(
      "GET",
      `${server.base}/subscriptions?${query}`,
    );
    assert.equal(body.subscription_count, body.subscriptions.length);
    return body.subscriptions.map((s: { endpoint: string }) => s.endpoint);
  };
  assert.deepEqual(await endpoints(""), ["https://a.test/", "a@example.test"]);
  assert.deepEqual(await endpoints("protocol=email"), ["a@example.test"]);
  assert.deepEqual(await endpoints("protocol=dms"), []);
  assert.deepEqual(await endpoints("status=1"), ["a@example.test"]);
  assert.deepEqual(await endpoints("status=0"), ["https://a.test/"]);
  assert.deepEqual(await endpoints("status=4"), []);
  assert.deepEqual(await endpoints("endpoint=a@example.test"), [
    "a@example.test",
  ]);
  assert.deepEqual(await endpoints("fuzzy_remark=50%25"), ["a@example.test"]);
  const bad = await server.call(
    "GET",
    `${server.base}/subscriptions?status=confirmed`,
  );
  assert.deepEqual([bad.status, bad.body.code], [400, "SMN.0077"]);
});

test("pages by marker begin behind a subscription's URN", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const urns: string[] = [];
  for (const name of ["a", "b", "c"]) {
    urns.push(await subscribe(server, url, `${name}@example.test`));
  }
  for (const list of [url, `${server.base}/subscriptions`]) {
    const page = async (marker: string) => {
      const query = new URLSearchParams({ limit: "1", marker });
      const { body } = await server.call("GET", `${list}?${query}`);
      assert.equal(body.subscription_count, 3);
      return body.subscriptions.map(
        (s: { subscription_urn: string }) => s.subscription_urn,
      );
    };
    assert.deepEqual(await page(urns[0] ?? ""), [urns[1]]);
    assert.deepEqual(await page(urns[2] ?? ""), []);
    assert.deepEqual(await page("nothing"), []);
  }
});

test("subscriptions are removed one by one, or many at once", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const { call, base } = server;
  const [one, two, three] = await Promise.all(
    ["1", "2", "3"].map((n) => subscribe(server, url, `${n}@example.test`)),
  );
  assert.ok(one && two && three);
  assert.equal((await call("DELETE", `${url}/${one}`)).status, 200);
  assert.equal((await call("DELETE", `${url}/${one}`)).status, 404);
  const many = await call("DELETE", `${base}/subscriptions`, {
    subscription_urns: [
      { subscription_urn: two },
      { subscription_urn: one },
      { subscription_urn: "garbage" },
    ],
  });
  assert.deepEqual(
    many.body.subscriptions_result.map((r: { http_code: number }) => [
      r.http_code,
    ]),
    [[200], [404], [400]],
  );
  const deleted = await call("DELETE", url, {
    subscription_urns: [{ subscription_urn: three }],
  });
  assert.equal(deleted.body.subscriptions_result[0].http_code, 200);
  const { body } = await call("GET", url);
  assert.equal(body.subscription_count, 0);
});

test("a subscription is not removed through another topic", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  await server.call("POST", `${server.base}/topics`, { name: "other" });
  const urn = await subscribe(server, url, "a@example.test");
  const elsewhere = url.replace(":a/", ":other/");
  const single = await server.call("DELETE", `${elsewhere}/${urn}`);
  assert.deepEqual([single.status, single.body.code], [404, "SMN.0013"]);
  const many = await server.call("DELETE", elsewhere, {
    subscription_urns: [{ subscription_urn: urn }],
  });
  assert.equal(many.body.subscriptions_result[0].http_code, 404);
});

test("a DELETE may have a body that nobody asked for", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const urn = await subscribe(server, url, "a@example.test");
  const path = `${server.base}/subscriptions/${urn}`;
  assert.equal((await server.call("DELETE", path, { a: 1 })).status, 200);
});
