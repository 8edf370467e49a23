import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../connection.ts";
import { encodeBase64 } from "../encoding.ts";
import {
  InvalidOptionsError,
  InvalidResponseError,
  RequestTimeoutError,
} from "../errors.ts";
import { type Answer, refusal, serve } from "../testing/serve.ts";
import type { Carillon } from "./carillon.ts";

const at = "2026-01-15T08:30:00.000Z";
const order = { type: "order", id: "7", createdAt: at, changedAt: at };

const summary = {
  id: "m1-0",
  createdAt: at,
  changedAt: at,
  to: "+4915112345678",
  state: "retrying",
  pymessState: { name: "ERROR_RETRY", number: 9 },
  attempts: 1,
  priority: 1,
  relatedObjects: [order],
  attachments: [],
  failed: true,
  isFinal: false,
  isFailure: false,
};
const stored = {
  ...summary,
  text: "hi",
  expiresAt: at,
  delivery: {
    id: "m1-0",
    protocol: "sms",
    endpoint: "+4915112345678",
    state: "retrying",
    attemptCount: 1,
    attempts: [],
  },
  ofANewerServer: 1,
};

async function serveStored(answer: Answer, timeoutMs = 30_000) {
  const server = await serve(answer);
  const { carillon } = connect({
    endpoint: server.url,
    projectId: "0f3c5d1e2a4b46788899aabbccddeeff",
    token: "t",
    timeoutMs,
    retry: { maxRetries: 2, baseDelayMs: 1 },
  });
  return {
    carillon,
    requests: server.requests,
    /** Method, path below `/api/v2` with its query, and body. */
    get asked() {
      return server.requests.map(({ method, path, query, json }) => [
        method,
        path.replace(/^\/api\/v2\//, "") + (query.size > 0 ? `?${query}` : ""),
        json,
      ]);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

type Row = readonly [
  call: string,
  (carillon: Carillon) => Promise<unknown>,
  asked: readonly [method: string, path: string, body?: unknown],
  answered: unknown,
  /** Of the result; what is not named is not looked at. */
  expected: unknown,
];

const related = { relatedObjects: [order] };

const rows: readonly Row[] = [
  [
    "sms.send",
    (c) =>
      c.sms.send({
        to: "+4915112345678",
        text: "hi",
        tag: "t",
        sender: "ACME",
        accents: "transliterate",
        backend: "us",
        sendImmediately: true,
        relatedObjects: [{ type: "order", id: 7 }],
        notBefore: new Date(at),
      }),
    [
      "POST",
      "sms",
      {
        to: "+4915112345678",
        text: "hi",
        tag: "t",
        sender: "ACME",
        accents: "transliterate",
        backend: "us",
        sendImmediately: true,
        relatedObjects: [{ type: "order", id: 7 }],
        notBefore: at,
      },
    ],
    stored,
    { state: "retrying", failed: true, isReplayed: false, ofANewerServer: 1 },
  ],
  [
    "emails.send with a file",
    (c) =>
      c.emails.send({
        to: "a@b.example",
        html: "<b>hi</b>",
        email: { replyTo: "c@d.example" },
        attachments: [
          {
            name: "a.bin",
            contentType: "application/octet-stream",
            content: Uint8Array.of(0, 255, 128),
            contentId: "a",
          },
        ],
      }),
    [
      "POST",
      "emails",
      {
        to: "a@b.example",
        html: "<b>hi</b>",
        email: { replyTo: "c@d.example" },
        attachments: [
          {
            name: "a.bin",
            contentType: "application/octet-stream",
            content: "AP+A",
            contentId: "a",
          },
        ],
      },
    ],
    stored,
    { id: "m1-0" },
  ],
  [
    "sms.sendBulk",
    (c) => c.sms.sendBulk({ to: ["+1", "+2"], text: "hi" }),
    ["POST", "sms/bulk", { to: ["+1", "+2"], text: "hi" }],
    { messages: [{ id: "m1-0", to: "+1", state: "waiting" }] },
    [{ id: "m1-0", to: "+1", state: "waiting" }],
  ],
  [
    "sms.sendTemplate",
    (c) => c.sms.sendTemplate({ to: "+1", slug: "s", context: { a: 1 } }),
    ["POST", "sms/from-template", { to: "+1", slug: "s", context: { a: 1 } }],
    stored,
    { id: "m1-0" },
  ],
  [
    "sms.sendTemplate of one that may not be sent",
    (c) => c.sms.sendTemplate({ to: "+1", slug: "s" }),
    ["POST", "sms/from-template", { to: "+1", slug: "s" }],
    { refusals: ["duplicate"] },
    undefined,
  ],
  [
    "emails.trySendTemplate of one that may not be sent",
    (c) => c.emails.trySendTemplate({ to: "a@b.example", slug: "s" }),
    ["POST", "emails/from-template", { to: "a@b.example", slug: "s" }],
    { refusals: ["inactive", "disallowed"] },
    { refusals: ["inactive", "disallowed"] },
  ],
  [
    "sms.find",
    (c) => c.sms.find("m1-0"),
    ["GET", "sms/m1-0"],
    stored,
    { text: "hi", delivery: { endpoint: "+4915112345678" } },
  ],
  [
    "sms.cancel",
    (c) => c.sms.cancel("m1-0", { reason: "a mistake" }),
    ["POST", "sms/m1-0/cancel", { reason: "a mistake" }],
    stored,
    { id: "m1-0" },
  ],
  [
    "emails.retry",
    (c) => c.emails.retry("m1-0"),
    ["POST", "emails/m1-0/retry", {}],
    stored,
    { id: "m1-0" },
  ],
  [
    "sms.wasSent",
    (c) => c.sms.wasSent("s", { type: "order", id: 7 }),
    [
      "GET",
      "sms/was-sent?template=s&relatedObjectType=order&relatedObjectId=7",
    ],
    { wasSent: true },
    true,
  ],
  [
    "sms.wasSent about several",
    (c) =>
      c.sms.wasSent("s", [
        { type: "order", id: 7 },
        { type: "user", id: "a" },
      ]),
    [
      "GET",
      "sms/was-sent?template=s&relatedObjectType=order&relatedObjectType=user&relatedObjectId=7&relatedObjectId=a",
    ],
    { wasSent: false },
    false,
  ],
  [
    "sms.relatedObjects.list",
    (c) => c.sms.relatedObjects.list("m1-0"),
    ["GET", "sms/m1-0/related-objects"],
    related,
    [order],
  ],
  [
    "sms.relatedObjects.add",
    (c) => c.sms.relatedObjects.add("m1-0", [{ type: "order", id: 7 }]),
    [
      "POST",
      "sms/m1-0/related-objects",
      { relatedObjects: [{ type: "order", id: 7 }] },
    ],
    related,
    [order],
  ],
  [
    "emails.relatedObjects.set of one type",
    (c) => c.emails.relatedObjects.set("m1-0", [], { type: "order" }),
    [
      "PUT",
      "emails/m1-0/related-objects",
      { relatedObjects: [], type: "order" },
    ],
    { relatedObjects: [] },
    [],
  ],
];

for (const [call, run, asked, answered, expected] of rows) {
  test(`${call} asks and answers as the API has it`, async () => {
    await using server = await serveStored(() => ({ body: answered }));
    const result = await run(server.carillon);
    const [method, path, body] = asked;
    assert.deepEqual(server.asked, [[method, path, body]]);
    if (typeof expected === "object")
      assert.partialDeepStrictEqual(result, expected);
    else assert.equal(result, expected);
  });
}

test("a list walks all pages", async () => {
  await using server = await serveStored(({ query }) => ({
    body: query.has("before")
      ? { messages: [{ ...summary, id: "m1-0", excerpt: "one" }] }
      : { messages: [{ ...summary, id: "m2-0" }], next: "m2-0" },
  }));
  const found = await Array.fromAsync(
    server.carillon.sms.list({
      state: "ERROR_RETRY",
      relatedObjects: [{ type: "order", id: 7 }],
      since: new Date(at),
      until: "2027-01-01T00:00:00Z",
      pageSize: 1,
    }),
  );
  assert.deepEqual(
    found.map(({ id, excerpt }) => [id, excerpt]),
    [
      ["m2-0", undefined],
      ["m1-0", "one"],
    ],
  );
  const filter = `state=ERROR_RETRY&relatedObjectType=order&relatedObjectId=7&since=${encodeURIComponent(at)}&until=${encodeURIComponent("2027-01-01T00:00:00Z")}&limit=1`;
  assert.deepEqual(
    server.asked.map(([, path]) => path),
    [`sms?${filter}`, `sms?${filter}&before=m2-0`],
  );
});

test("what sends is sent again under one key, and says that it was a repetition", async () => {
  let count = 0;
  await using server = await serveStored(() => {
    count++;
    if (count === 1) return "drop";
    return {
      status: 201,
      headers: { "idempotency-replayed": "true" },
      body: stored,
    };
  });
  const sent = await server.carillon.sms.send({ to: "+1", text: "hi" });
  assert.equal(sent.isReplayed, true);
  const [first, second] = server.requests.map(
    ({ headers }) => headers["idempotency-key"],
  );
  assert.ok(first !== undefined && first === second, String(first));
});

test("a server that was asked to wait has so much longer", async () => {
  await using server = await serveStored(() => "hang", 1);
  const message = { to: "+1", text: "hi" };
  for (const [waitSeconds, expected] of [
    [undefined, 1],
    [0.02, 21],
  ] as const) {
    await assert.rejects(
      server.carillon.sms.send({ ...message, waitSeconds }),
      (error) =>
        error instanceof RequestTimeoutError && error.timeoutMs === expected,
    );
  }
});

test("what is not there is undefined, and other failures are not", async () => {
  await using server = await serveStored(({ path }) =>
    refusal(path.endsWith("m1-0") ? 404 : 403, "DELIVERY_NOT_FOUND"),
  );
  assert.equal(await server.carillon.sms.find("m1-0"), undefined);
  await assert.rejects(server.carillon.sms.find("m2-0"), { status: 403 });
});

test("a server that cannot know is not taken for one that has no such message", async () => {
  for (const [status, body] of [
    [404, {}],
    [404, { code: "ROUTE_NOT_FOUND" }],
    [400, {}],
  ] as const) {
    await using server = await serveStored(() => ({ status, body }));
    await assert.rejects(server.carillon.sms.find("m1-0"), { status });
  }
});

test("a date that is none, and an answer that lacks its members, are refused", async () => {
  await using server = await serveStored(() => ({ body: { id: "m1-0" } }));
  const { sms } = server.carillon;
  const notBefore = new Date(Number.NaN);
  await assert.rejects(
    sms.send({ to: "+1", text: "hi", notBefore }),
    InvalidOptionsError,
  );
  await assert.rejects(sms.find("m1-0"), InvalidResponseError);
});

test("base64 of many bytes is that of Node", () => {
  for (const length of [0, 1, 2, 3, 12_287, 12_288, 12_289, 300_001]) {
    const bytes = Uint8Array.from({ length }, (_, n) => (n * 7919) % 256);
    assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString("base64"));
  }
});
