import assert from "node:assert/strict";
import { test } from "node:test";
import type { Probe, ProbeResult } from "@carillon/core";
import {
  startTestServer,
  type TestServerOptions,
} from "../../../test-support/test-server.ts";

async function setUp(options: TestServerOptions = {}) {
  const server = await startTestServer(options);
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const url = `${server.base}/topics/${server.topicUrn("a")}/detection`;
  const begin = async (body: unknown = https): Promise<string> => {
    const answer = await server.call("POST", url, body);
    assert.equal(answer.status, 200);
    return answer.body.task_id;
  };
  const show = (taskId: string) => server.call("GET", `${url}/${taskId}`);
  return { server, url, begin, show };
}

const https = { protocol: "https", endpoint: "https://hooks.example.test/x" };

test("answers each result with its code", async () => {
  const results: readonly (readonly [ProbeResult, object])[] = [
    [
      { kind: "answered", statusCode: 204, text: "thanks" },
      { status: 0, detail: { httpCode: 204, httpResponse: "OK" } },
    ],
    [
      { kind: "answered", statusCode: 404, text: "no such hook" },
      { status: 2, detail: { httpCode: 404, httpResponse: "no such hook" } },
    ],
    [
      { kind: "refused", message: "10.0.0.1 is a private address" },
      {
        status: 2,
        detail: {
          httpCode: 0,
          httpResponse: "the endpoint is in a network that is refused",
        },
      },
    ],
    [
      { kind: "unanswered" },
      {
        status: 2,
        detail: { httpCode: -1, httpResponse: "no answer within 5 seconds" },
      },
    ],
  ];
  for (const [result, expected] of results) {
    const { server, begin, show } = await setUp({ probe: async () => result });
    await using _ = server;
    const { body } = await show(await begin());
    const { request_id, ...detection } = body;
    assert.match(request_id, /^[0-9a-f]{32}$/);
    assert.deepEqual(detection, expected);
  }
});

test("runs a bounded number of probes at once; too many are not run", async () => {
  const under = Promise.withResolvers<ProbeResult>();
  let probes = 0;
  const probe: Probe = () => {
    probes++;
    return under.promise;
  };
  const { server, begin, show } = await setUp({ probe });
  await using _ = server;
  const ids: string[] = [];
  for (let n = 0; n < 16 + 256 + 1; n++) ids.push(await begin());
  assert.equal(probes, 16);
  const last = await show(ids.at(-1) ?? "");
  assert.deepEqual([last.body.status, last.body.detail.httpCode], [2, -2]);
  assert.equal((await show(ids[20] ?? "")).body.status, 1);
  under.resolve({ kind: "unanswered" });
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.equal(probes, 16 + 256);
  assert.equal((await show(ids[271] ?? "")).body.detail.httpCode, -1);
});

test("sends the headers that were asked for", async () => {
  const seen: unknown[] = [];
  const { server, begin } = await setUp({
    probe: async (request) => {
      seen.push(request);
      return { kind: "unanswered" };
    },
  });
  await using _ = server;
  await begin({
    protocol: "https;",
    endpoint: https.endpoint,
    extension: { header: { "X-Team": "ops" } },
  });
  assert.deepEqual(seen, [
    {
      url: https.endpoint,
      headers: { "x-team": "ops" },
      topicUrn: server.topicUrn("a"),
    },
  ]);
});

test("a task is kept for an hour, for its own topic", async () => {
  const { server, begin, show, url } = await setUp();
  await using _ = server;
  const id = await begin();
  await server.clock.advanceSettled(3_599_000);
  assert.equal((await show(id)).status, 200);

  await server.call("POST", `${server.base}/topics`, { name: "b" });
  const elsewhere = `${url.replace(":a/", ":b/")}/${id}`;
  const unknown = [
    await server.call("GET", elsewhere),
    await show("0".repeat(32)),
  ];
  await server.clock.advanceSettled(2000);
  unknown.push(await show(id));
  for (const { status, body } of unknown) {
    assert.deepEqual([status, body.error_code], [400, "SMN.00013030"]);
  }
});

test("refuses what cannot be detected", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const refused: readonly (readonly [unknown, string])[] = [
    [{ ...https, protocol: "email" }, "SMN.0011"],
    [{ ...https, protocol: "http" }, "SMN.0012"],
    [{ protocol: "https" }, "SMN.0012"],
    [{ ...https, extension: { header: { "x-smn-a": "1" } } }, "SMN.0043"],
  ];
  for (const [payload, code] of refused) {
    const { status, body } = await server.call("POST", url, payload);
    assert.deepEqual([status, body.code], [400, code]);
  }
  const gone = await server.call("POST", url.replace(":a/", ":x/"), https);
  assert.equal(gone.body.code, "SMN.0006");
});
