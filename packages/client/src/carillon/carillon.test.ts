import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connect } from "../connection.ts";
import { InvalidResponseError, ResourceNotFoundError } from "../errors.ts";
import { type Answer, refusal, serve } from "../testing/serve.ts";
import type { Carillon } from "./carillon.ts";
import type { MessageToPublish } from "./message-to-publish.ts";

const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";
const createdAt = "2026-01-15T08:30:00.000Z";

async function serveCarillon(answer: Answer, maxRetries = 0) {
  const server = await serve(answer);
  const { carillon } = connect({
    endpoint: server.url,
    projectId,
    token: "t",
    retry: { maxRetries, baseDelayMs: 1 },
  });
  return {
    carillon,
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

const user = {
  id: "u1",
  name: "ann",
  domainId: "d1",
  role: "member",
  projectIds: ["p1"],
  enabled: true,
};
const project = { id: "p1", name: "shop", domainId: "d1", enabled: true };
const domain = { id: "d1", name: "acme", enabled: true };
const accessKey = {
  accessKey: "AK",
  userId: "u1",
  projectId: "p1",
  createdAt,
  enabled: true,
};
const key = { id: "k1", name: "orders", status: "ENABLED", createdAt };
const certificate = {
  certificateId: "c1",
  certificate: "PEM",
  current: true,
  notBefore: createdAt,
  notAfter: createdAt,
};
/** The JSON of the guide on publishing, as it stands there. */
const messageOfTheGuide: MessageToPublish = JSON.parse(
  /^```json\n([\s\S]*?)^```$/m.exec(
    readFileSync(
      new URL("../../../../docs/guides/publish.md", import.meta.url),
      "utf8",
    ),
  )?.[1] ?? "",
);
const cancelled = {
  at: "2026-01-15T08:31:00.000Z",
  userId: "u1",
  userName: "ada",
  reason: "a mistake",
  jobId: "j1",
};

const message = {
  id: "m1",
  topicName: "news",
  subject: "s",
  kind: "text",
  acceptedAt: createdAt,
  excerpt: "t",
  text: "t",
  fannedOut: true,
  counts: { delivered: 2 },
};
const inboundMessage = {
  id: "i1",
  from: "+1",
  to: "+2",
  text: "STOP it",
  keyword: "STOP",
  receivedAt: createdAt,
  messageId: "m1",
};
const explained = {
  sticky: true,
  reason: "it is the default provider",
  considered: [{ rule: "us", matched: false, reason: "the country is CZ" }],
  candidates: [
    {
      provider: "a",
      breaker: "closed",
      paused: true,
      estimatedCost: { amount: 0.5 },
    },
  ],
  encoding: "gsm7",
  segments: 1,
  problems: ["no"],
};

const suppression = {
  address: "a@b.example",
  reason: "bounced",
  detail: "no such user",
  since: "2026-01-01T00:00:00.000Z",
  deliveryId: "d1",
  count: 2,
};

const mailEvent = {
  event: "bounced",
  hard: true,
  at: "2026-01-01T00:00:00.000Z",
  receivedAt: "2026-01-01T00:00:01.000Z",
  recipient: "a@b.example",
  code: "5.1.1",
  diagnostic: "no such user",
  raw: "Action: failed",
};

const optOut = { recipient: "+1", keyword: "ASKED", since: createdAt };
const mail = {
  id: "1",
  receivedAt: createdAt,
  from: "a@b.example",
  to: ["c@d.example"],
  subject: "s",
  text: "t",
  html: "",
};
const phoneText = {
  id: "1",
  at: createdAt,
  direction: "received",
  number: "1",
  text: "t",
};
const webhookRequest = {
  id: "1",
  receivedAt: createdAt,
  name: "hook",
  body: "{}",
  status: 200,
};
const caller = {
  userId: "u1",
  userName: "ann",
  domainId: "d1",
  domainName: "acme",
  role: "member",
  projectId,
  region: "local",
};

const subscriptionUrn = "urn:smn:local:p:t:s";
const signature = {
  scheme: "standard-webhooks",
  keys: [
    { number: 2, algorithm: "ed25519", publicKey: "whpk_x" },
    { number: 1, algorithm: "hmac-sha256", until: createdAt, secret: "whsec_" },
  ],
};
const knownSignature = {
  ...signature,
  keys: signature.keys.map((it) => ({
    until: undefined,
    secret: undefined,
    publicKey: undefined,
    ...it,
  })),
};
const changedDelivery = {
  id: "m1-1",
  protocol: "sms",
  endpoint: "+1",
  state: "retrying",
  attemptCount: 1,
  attempts: [],
  actions: [
    {
      at: createdAt,
      action: "resend",
      from: "failed",
      to: "retrying",
      userName: "ann",
      reason: "r",
      jobId: "j1",
    },
  ],
};
const absentOfDelivery = {
  externalId: undefined,
  parts: [],
  receiptExpected: undefined,
  receipts: [],
  error: undefined,
  latencyMs: undefined,
  nextAttemptAt: undefined,
  waitReason: undefined,
};
const job = {
  id: "j1",
  action: "resend",
  filter: {},
  state: "running",
  reason: "r",
  userName: "ann",
  total: 3,
  isTotalExact: false,
  done: 2,
  changed: 1,
  messages: 2,
  skipped: { expired: 1 },
  createdAt,
};

/** A call, what the server is asked, what it answers, what comes out. */
const counts = { attempts: 2, accepted: 1, failed: 1, unknown: 0 };
const providerError = {
  code: "21610",
  errorClass: "RequestError",
  meaning: "They said stop.",
  count: 1,
  lastAt: "2026-01-15T08:30:00.000Z",
};
const provider = {
  name: "us",
  type: "twilio",
  state: "paused",
  isDefault: true,
  rules: ["all"],
  pause: { at: "2026-01-15T08:30:00.000Z", userName: "ann" },
  lastFiveMinutes: counts,
  lastHour: counts,
  sinceStart: counts,
  receipts: { seen: 3, expected: 1, final: 1 },
  lastError: providerError,
  balance: { amount: 12.5, currency: "EUR", at: "2026-01-15T08:30:00.000Z" },
};
const shownProvider = {
  ...provider,
  breaker: undefined,
  lastAcceptedAt: undefined,
  latencyMs: undefined,
  pause: { ...provider.pause, reason: undefined },
  balance: { ...provider.balance, problem: undefined },
};

const operations: readonly (readonly [
  name: string,
  call: (carillon: Carillon) => Promise<unknown>,
  asked: readonly [method: string, path: string, body?: unknown],
  answered: unknown,
  result: unknown,
])[] = [
  ["whoami", (c) => c.whoami(), ["GET", "whoami"], caller, caller],
  [
    "inbound.get",
    (c) => c.inbound.get("i1"),
    ["GET", "inbound/i1"],
    inboundMessage,
    inboundMessage,
  ],
  [
    "deliveries.get",
    (c) => c.deliveries.get("m1-1"),
    ["GET", "deliveries/m1-1"],
    changedDelivery,
    { ...changedDelivery, ...absentOfDelivery },
  ],
  [
    "deliveries.resend",
    (c) => c.deliveries.resend("m1-1", { timeToLiveSeconds: 60 }),
    ["POST", "deliveries/m1-1/resend", { timeToLiveSeconds: 60 }],
    changedDelivery,
    { ...changedDelivery, ...absentOfDelivery },
  ],
  [
    "deliveries.cancel",
    (c) => c.deliveries.cancel("m1-1"),
    ["POST", "deliveries/m1-1/cancel", {}],
    changedDelivery,
    { ...changedDelivery, ...absentOfDelivery },
  ],
  [
    "deliveries.settle",
    (c) => c.deliveries.settle("m1-1", "failed", { reason: "r" }),
    ["POST", "deliveries/m1-1/settle", { as: "failed", reason: "r" }],
    changedDelivery,
    { ...changedDelivery, ...absentOfDelivery },
  ],
  [
    "deliveryJobs.preview",
    (c) =>
      c.deliveryJobs.preview({
        action: "resend",
        filter: { since: new Date(createdAt) },
      }),
    [
      "POST",
      "delivery-jobs/preview",
      { action: "resend", filter: { since: createdAt } },
    ],
    { count: 3, isExact: false, messages: 2 },
    { count: 3, isExact: false, messages: 2 },
  ],
  [
    "deliveryJobs.create",
    (c) =>
      c.deliveryJobs.create({
        action: "resend",
        filter: { states: ["failed"], until: new Date(createdAt) },
        reason: "r",
      }),
    [
      "POST",
      "delivery-jobs",
      {
        action: "resend",
        filter: { states: ["failed"], until: createdAt },
        reason: "r",
      },
    ],
    job,
    { ...job, error: undefined },
  ],
  [
    "deliveryJobs.get",
    (c) => c.deliveryJobs.get("j1"),
    ["GET", "delivery-jobs/j1"],
    job,
    { ...job, error: undefined },
  ],
  [
    "deliveryJobs.cancel",
    (c) => c.deliveryJobs.cancel("j1"),
    ["POST", "delivery-jobs/j1/cancel"],
    job,
    { ...job, error: undefined },
  ],
  [
    "imports.get",
    (c) => c.imports.get("pymess:1"),
    ["GET", "imports/pymess:1"],
    { name: "pymess:1", position: "7", imported: 2, skipped: 1 },
    { name: "pymess:1", position: "7", imported: 2, skipped: 1 },
  ],
  [
    "imports.add",
    (c) =>
      c.imports.add("p", {
        channel: "sms",
        after: "7",
        position: "8",
        records: [],
      }),
    [
      "POST",
      "imports/p/batches",
      { channel: "sms", after: "7", position: "8", records: [] },
    ],
    { imported: 0, skipped: [{ id: "8", reason: "too long" }] },
    { imported: 0, skipped: [{ id: "8", reason: "too long" }] },
  ],
  [
    "optOuts.create",
    (c) => c.optOuts.create({ recipient: "+1", keyword: "ASKED" }),
    ["POST", "opt-outs", { recipient: "+1", keyword: "ASKED" }],
    optOut,
    { ...optOut, sender: undefined },
  ],
  [
    "optOuts.delete",
    (c) => c.optOuts.delete("+1", "+2"),
    ["DELETE", "opt-outs/%2B1?sender=%2B2"],
    "",
    undefined,
  ],
  [
    "emailSuppressions.create",
    (c) => c.emailSuppressions.create({ address: "a@b.example" }),
    ["POST", "email-suppressions", { address: "a@b.example" }],
    suppression,
    suppression,
  ],
  [
    "emailSuppressions.delete",
    (c) => c.emailSuppressions.delete("a@b.example"),
    ["DELETE", "email-suppressions/a%40b.example"],
    "",
    undefined,
  ],
  [
    "deliveries.mailEvents",
    (c) => c.deliveries.mailEvents("d1"),
    ["GET", "deliveries/d1/mail-events"],
    { events: [mailEvent] },
    [mailEvent],
  ],
  [
    "guards.get",
    (c) => c.guards.get({ project: "p1" }),
    ["GET", "guards?project=p1"],
    {
      rules: { numberPerHour: 60 },
      held: [{ reason: "number_limit", count: 2 }],
      topNumbers: [{ number: "+49***678", country: "DE", count: 2 }],
      topPrefixes: [],
      spend: [{ scope: "all", period: "day", date: "2026-01-01", amount: 1.5 }],
    },
    {
      rules: { numberPerHour: 60 },
      held: [{ reason: "number_limit", count: 2 }],
      topNumbers: [{ number: "+49***678", country: "DE", count: 2 }],
      topPrefixes: [],
      spend: [
        {
          scope: "all",
          period: "day",
          date: "2026-01-01",
          amount: 1.5,
          limit: 0,
          percent: 0,
        },
      ],
      currency: undefined,
    },
  ],
  [
    "batches.run",
    (c) => c.batches.run("email", { limit: 3 }),
    ["POST", "emails/batch-runs", { limit: 3 }],
    { sent: ["1-0"], failed: [], pending: ["2-0"] },
    { sent: ["1-0"], failed: [], pending: ["2-0"] },
  ],
  [
    "batches.checkDeliveries",
    (c) => c.batches.checkDeliveries(),
    ["POST", "sms/delivery-checks"],
    { asked: 2, idle: 1, idleTimeoutMinutes: 10, failedIdle: true },
    { asked: 2, idle: 1, idleTimeoutMinutes: 10, failedIdle: true },
  ],
  [
    "sms.explain",
    (c) => c.sms.explain({ recipient: "+1", text: "hi", sender: "ACME" }),
    ["POST", "sms/explain", { recipient: "+1", text: "hi", sender: "ACME" }],
    explained,
    {
      ...explained,
      provider: undefined,
      by: undefined,
      rule: undefined,
      use: undefined,
      estimatedCost: undefined,
      candidates: [
        {
          ...explained.candidates[0],
          sender: undefined,
          estimatedCost: { amount: 0.5, currency: undefined },
        },
      ],
    },
  ],
  [
    "sandbox.mails",
    (c) => c.sandbox.mails({ query: "ann", limit: 1 }),
    ["GET", "sandbox/mails?query=ann&limit=1"],
    { mails: [mail] },
    [{ ...mail, attachments: [] }],
  ],
  [
    "sandbox.texts",
    (c) => c.sandbox.texts(),
    ["GET", "sandbox/phone-messages"],
    { messages: [phoneText] },
    [phoneText],
  ],
  [
    "sandbox.texts of one phone",
    (c) => c.sandbox.texts({ number: "+1", limit: 2 }),
    ["GET", "sandbox/phones/%2B1/messages?limit=2"],
    { messages: [phoneText] },
    [phoneText],
  ],
  [
    "sandbox.requests",
    (c) => c.sandbox.requests({ name: "hook", query: "x" }),
    ["GET", "sandbox/webhooks/hook?query=x"],
    { requests: [webhookRequest] },
    [webhookRequest],
  ],
  [
    "sandbox.reply",
    (c) => c.sandbox.reply("+1", "STOP", "+2"),
    ["POST", "sandbox/phones/%2B1/messages", { text: "STOP", to: "+2" }],
    phoneText,
    phoneText,
  ],
  [
    "users.list",
    (c) => c.users.list(),
    ["GET", "users"],
    { users: [user] },
    [user],
  ],
  [
    "users.create",
    (c) => c.users.create({ name: "ann", projectIds: ["p1"] }),
    ["POST", "users", { name: "ann", projectIds: ["p1"] }],
    { ...user, password: "made up" },
    { ...user, password: "made up" },
  ],
  [
    "users.change",
    (c) => c.users.change("u1", { role: "admin" }),
    ["PATCH", "users/u1", { role: "admin" }],
    user,
    user,
  ],
  [
    "users.rotate",
    (c) => c.users.rotate("u1", "given"),
    ["POST", "users/u1/rotate", { password: "given" }],
    user,
    { ...user, password: undefined },
  ],
  [
    "users.assign",
    (c) => c.users.assign("u1", "p1"),
    ["PUT", "users/u1/projects/p1"],
    user,
    user,
  ],
  [
    "users.unassign",
    (c) => c.users.unassign("u1", "p1"),
    ["DELETE", "users/u1/projects/p1"],
    user,
    user,
  ],
  [
    "users.delete",
    (c) => c.users.delete("u 1"),
    ["DELETE", "users/u%201"],
    "",
    undefined,
  ],
  [
    "projects.list",
    (c) => c.projects.list(),
    ["GET", "projects"],
    { projects: [project] },
    [project],
  ],
  [
    "projects.create",
    (c) => c.projects.create({ name: "shop", domainId: "d1" }),
    ["POST", "projects", { name: "shop", domainId: "d1" }],
    project,
    project,
  ],
  [
    "projects.change",
    (c) => c.projects.change("p1", { enabled: false }),
    ["PATCH", "projects/p1", { enabled: false }],
    project,
    project,
  ],
  [
    "domains.list",
    (c) => c.domains.list(),
    ["GET", "domains"],
    { domains: [domain] },
    [domain],
  ],
  [
    "domains.create",
    (c) => c.domains.create({ name: "acme" }),
    ["POST", "domains", { name: "acme" }],
    domain,
    domain,
  ],
  [
    "accessKeys.list",
    (c) => c.accessKeys.list(),
    ["GET", "access-keys"],
    { accessKeys: [accessKey] },
    [accessKey],
  ],
  [
    "accessKeys.create",
    (c) => c.accessKeys.create({ userId: "u1" }),
    ["POST", "access-keys", { userId: "u1" }],
    { ...accessKey, secretKey: "SK" },
    { ...accessKey, secretKey: "SK" },
  ],
  [
    "accessKeys.rotate",
    (c) => c.accessKeys.rotate("AK"),
    ["POST", "access-keys/AK/rotate"],
    { ...accessKey, secretKey: "SK" },
    { ...accessKey, secretKey: "SK" },
  ],
  ["keys.list", (c) => c.keys.list(), ["GET", "keys"], { keys: [key] }, [key]],
  [
    "keys.create",
    (c) => c.keys.create({ name: "orders" }),
    ["POST", "keys", { name: "orders" }],
    key,
    key,
  ],
  [
    "keys.enable",
    (c) => c.keys.enable("k1"),
    ["POST", "keys/k1/enable"],
    key,
    key,
  ],
  [
    "keys.disable",
    (c) => c.keys.disable("k1"),
    ["POST", "keys/k1/disable"],
    key,
    key,
  ],
  [
    "certificates.list",
    (c) => c.certificates.list(),
    ["GET", "signing-keys"],
    { signingKeys: [certificate] },
    [certificate],
  ],
  [
    "certificates.rotate",
    (c) => c.certificates.rotate(),
    ["POST", "signing-keys/rotate"],
    { certificateId: "c2" },
    { certificateId: "c2" },
  ],
  [
    "subscriptions.delete",
    (c) => c.subscriptions.delete(subscriptionUrn),
    ["DELETE", `subscriptions/${subscriptionUrn}`],
    {},
    undefined,
  ],
  [
    "signatures.get",
    (c) => c.signatures.get(subscriptionUrn),
    ["GET", `subscriptions/${subscriptionUrn}/signature`],
    signature,
    knownSignature,
  ],
  [
    "signatures.reveal",
    (c) => c.signatures.reveal({ subscriptionUrn }),
    ["POST", `subscriptions/${subscriptionUrn}/signature/reveal`],
    signature,
    knownSignature,
  ],
  [
    "signatures.set",
    (c) => c.signatures.set(subscriptionUrn, { scheme: "none" }),
    ["PUT", `subscriptions/${subscriptionUrn}/signature`, { scheme: "none" }],
    { scheme: "none", keys: [] },
    { scheme: "none", keys: [] },
  ],
  [
    "signatures.rotate",
    (c) => c.signatures.rotate(subscriptionUrn, { overlapSeconds: 60 }),
    [
      "POST",
      `subscriptions/${subscriptionUrn}/signature/rotate`,
      { overlapSeconds: 60 },
    ],
    signature,
    knownSignature,
  ],
  [
    "signatures.rotate for a day",
    (c) => c.signatures.rotate(subscriptionUrn),
    ["POST", `subscriptions/${subscriptionUrn}/signature/rotate`, {}],
    signature,
    knownSignature,
  ],
  [
    "signatures.subscribe",
    (c) =>
      c.signatures.subscribe("urn:smn:local:p:t", {
        protocol: "https",
        endpoint: "https://a.example",
        extension: { header: { "x-a": "1" } },
        signature: { scheme: "standard-webhooks", algorithm: "ed25519" },
      }),
    [
      "POST",
      "topics/urn:smn:local:p:t/subscriptions",
      {
        protocol: "https",
        endpoint: "https://a.example",
        extension: { header: { "x-a": "1" } },
        signature: { scheme: "standard-webhooks", algorithm: "ed25519" },
      },
    ],
    { urn: subscriptionUrn, created: true, signature },
    {
      urn: subscriptionUrn,
      subscriptionUrn,
      created: true,
      signature: knownSignature,
    },
  ],
  [
    "configuration.reload",
    (c) => c.configuration.reload(),
    ["POST", "config/reload"],
    { applied: ["smtpUrl"], needsRestart: ["port"] },
    { applied: ["smtpUrl"], needsRestart: ["port"] },
  ],
  [
    "audit.list",
    (c) => Array.fromAsync(c.audit.list({ action: "login" })),
    ["GET", "audit?action=login&limit=1000"],
    {
      entries: [{ at: "2026-01-01T00:00:00.000Z", action: "login", count: 2 }],
    },
    [
      {
        at: "2026-01-01T00:00:00.000Z",
        action: "login",
        count: 2,
        userName: undefined,
        target: undefined,
        details: undefined,
        address: undefined,
        requestId: undefined,
      },
    ],
  ],
  [
    "messages.publish with all that the API's page has",
    (c) => c.messages.publish(messageOfTheGuide),
    ["POST", "messages", messageOfTheGuide],
    { id: "m1" },
    { id: "m1", isReplayed: false },
  ],
  [
    "messages.publish to several topics",
    (c) =>
      c.messages.publish({
        audience: { kind: "topics", topics: ["a", "urn:b"] },
        text: "t",
      }),
    [
      "POST",
      "messages",
      { audience: { kind: "topics", topics: ["a", "urn:b"] }, text: "t" },
    ],
    { id: "m1" },
    { id: "m1", isReplayed: false },
  ],
  [
    "messages.cancel",
    (c) => c.messages.cancel("m1", { reason: "a mistake" }),
    ["POST", "messages/m1/cancel", { reason: "a mistake" }],
    { ...message, cancelled },
    {
      ...message,
      topicUrns: undefined,
      class: undefined,
      tag: undefined,
      notBefore: undefined,
      cancelled,
    },
  ],
  [
    "messages.get",
    (c) => c.messages.get("m1"),
    ["GET", "messages/m1"],
    message,
    {
      ...message,
      topicUrns: undefined,
      class: undefined,
      tag: undefined,
      notBefore: undefined,
      cancelled: undefined,
    },
  ],
  [
    "providers.list with what is left",
    (c) => c.providers.list({ balance: true }),
    ["GET", "providers?balance=true"],
    { providers: [provider] },
    [shownProvider],
  ],
  [
    "providers.get",
    (c) => c.providers.get("us"),
    ["GET", "providers/us"],
    {
      ...provider,
      errors: [providerError],
      callbacks: [{ methods: ["POST"], url: "https://a/***/us/im" }],
      reports: { callbacks: "known", askedAfterMs: 30_000 },
      settings: { type: "twilio" },
    },
    {
      ...shownProvider,
      errors: [providerError],
      callbacks: [{ methods: ["POST"], url: "https://a/***/us/im" }],
      reports: { callbacks: "known", askedAfterMs: 30_000 },
      settings: { type: "twilio" },
    },
  ],
  [
    "providers.reveal",
    (c) => c.providers.reveal("us"),
    ["POST", "providers/us/reveal"],
    { callbacks: [{ methods: ["POST"], url: "https://a/s/us/im" }] },
    [{ methods: ["POST"], url: "https://a/s/us/im" }],
  ],
  [
    "providers.test",
    (c) => c.providers.test("us", { recipient: "+1" }),
    ["POST", "providers/us/test", { recipient: "+1" }],
    { messageId: "m1" },
    { messageId: "m1" },
  ],
  [
    "providers.pause",
    (c) => c.providers.pause("us", "too dear"),
    ["POST", "providers/us/pause", { reason: "too dear" }],
    provider,
    shownProvider,
  ],
  [
    "providers.resume of one that was removed",
    (c) => c.providers.resume("us"),
    ["POST", "providers/us/resume"],
    { wasPaused: true },
    { wasPaused: true, provider: undefined },
  ],
  [
    "request by a path in one text",
    (c) => c.request({ method: "GET", path: "/messages?limit=1" }),
    ["GET", "messages?limit=1"],
    { messages: [] },
    { messages: [] },
  ],
  [
    "request",
    (c) =>
      c.request({ method: "GET", path: ["inbound"], query: { from: "+1" } }),
    ["GET", "inbound?from=%2B1"],
    { inbound: [] },
    { inbound: [] },
  ],
];

for (const [name, call, asked, answered, result] of operations) {
  test(`${name} asks and answers as the API has it`, async () => {
    await using server = await serveCarillon(() => ({ body: answered }));
    assert.deepEqual(await call(server.carillon), result);
    const [method, path, body] = asked;
    assert.deepEqual(server.asked, [[method, path, body]]);
  });
}

test("deliveries walks all pages and keeps what it does not know", async () => {
  const delivery = (id: string) => ({
    id,
    protocol: "http",
    endpoint: "http://a.example",
    state: "delivered",
    attemptCount: 1,
    attempts: [
      { at: createdAt, durationMs: 5, statusCode: 200, firstByteMs: 3 },
    ],
    parts: [{ attempt: 1, provider: "p", externalId: "x1", state: "sent" }],
    receipts: [
      {
        at: createdAt,
        event: "fail",
        provider: "p",
        externalId: "x1",
        code: "27",
        text: "Absent subscriber",
      },
    ],
    latencyMs: 7,
    segments: 2,
    nextAttemptAt: createdAt,
  });
  await using server = await serveCarillon(({ query }) => ({
    body: query.has("after")
      ? { deliveries: [delivery("m1-2")] }
      : { deliveries: [delivery("m1-1")], next: "m1-1" },
  }));
  const all = await Array.fromAsync(server.carillon.messages.deliveries("m1"));
  assert.deepEqual(
    all.map(({ id, segments, latencyMs }) => [id, segments, latencyMs]),
    [
      ["m1-1", 2, 7],
      ["m1-2", 2, 7],
    ],
  );
  assert.deepEqual(
    all.map(({ attempts, parts, receipts }) => [
      attempts[0]?.firstByteMs,
      parts[0]?.externalId,
      receipts[0]?.code,
    ]),
    [
      [3, "x1", "27"],
      [3, "x1", "27"],
    ],
  );
  assert.deepEqual(JSON.parse(JSON.stringify(all[0])), delivery("m1-1"));
  assert.deepEqual(
    server.asked.map(([, path]) => path),
    [
      "messages/m1/deliveries?limit=1000",
      "messages/m1/deliveries?limit=1000&after=m1-1",
    ],
  );
});

test("the list of suppressed addresses walks all pages", async () => {
  await using server = await serveCarillon(({ query }) => {
    const next = query.has("after") ? {} : { next: "a@b.example" };
    return { body: { suppressions: [suppression], ...next } };
  });
  const { emailSuppressions } = server.carillon;
  const found = await Array.fromAsync(emailSuppressions.list());
  assert.deepEqual(found, [suppression, suppression]);
  assert.deepEqual(
    server.asked.map(([, path]) => path),
    [
      "email-suppressions?limit=1000",
      "email-suppressions?limit=1000&after=a%40b.example",
    ],
  );
});

test("lists of messages, texts and opt-outs walk all pages", async () => {
  const message = (id: string) => ({ id, fannedOut: true, counts: {} });
  const text = { id: "i1", from: "+1", text: "hi", receivedAt: createdAt };
  const optOut = { recipient: "+1", keyword: "STOP", since: createdAt };
  await using server = await serveCarillon(({ path, query }) => {
    if (path.endsWith("/inbound")) return { body: { inbound: [text] } };
    if (path.endsWith("/opt-outs")) return { body: { optOuts: [optOut] } };
    return {
      body: query.has("before")
        ? { messages: [message("m1")] }
        : { messages: [message("m2")], next: "m2" },
    };
  });
  const { messages, inbound, optOuts } = server.carillon;
  const since = new Date(createdAt);
  const found = await Array.fromAsync(
    messages.list({ topicUrn: "urn:t", state: "failed", since, pageSize: 1 }),
  );
  assert.deepEqual(
    found.map(({ id }) => id),
    ["m2", "m1"],
  );
  const [first] = await Array.fromAsync(inbound.list({ from: "+1", since }));
  assert.deepEqual([first?.from, first?.text], ["+1", "hi"]);
  const [second] = await Array.fromAsync(optOuts.list({ recipient: "+1" }));
  assert.equal(second?.keyword, "STOP");
  const filter = `state=failed&since=${encodeURIComponent(createdAt)}&limit=1`;
  assert.deepEqual(
    server.asked.map(([, path]) => path),
    [
      `messages?topicUrn=urn%3At&${filter}`,
      `messages?topicUrn=urn%3At&${filter}&before=m2`,
      `inbound?from=%2B1&since=${encodeURIComponent(createdAt)}&limit=1000`,
      "opt-outs?recipient=%2B1&limit=1000",
    ],
  );
});

test("jobs are listed page by page, and watched until they are over", async () => {
  await using server = await serveCarillon(({ path, query }) => {
    if (path.endsWith("/j1")) return { body: { ...job, state: "done" } };
    return {
      body: query.has("before")
        ? { jobs: [{ ...job, id: "j1" }] }
        : { jobs: [{ ...job, id: "j2" }], next: "j2" },
    };
  });
  const { deliveryJobs } = server.carillon;
  const found = await Array.fromAsync(deliveryJobs.list());
  assert.deepEqual(
    found.map(({ id }) => id),
    ["j2", "j1"],
  );
  const watched = await Array.fromAsync(deliveryJobs.watch("j1"));
  assert.deepEqual(
    watched.map(({ state }) => state),
    ["done"],
  );
});

test("what is gone is deleted, unless that matters", async () => {
  await using server = await serveCarillon(() =>
    refusal(404, "IDENTITY_NOT_FOUND"),
  );
  const { users } = server.carillon;
  await users.delete("u1");
  await assert.rejects(
    users.delete("u1", { ignoreMissing: false }),
    ResourceNotFoundError,
  );
});

test("a signature is not set twice: the answer might be the ended key's", async () => {
  await using server = await serveCarillon(() => ({ status: 503 }), 3);
  const { signatures } = server.carillon;
  await assert.rejects(signatures.set(subscriptionUrn, { scheme: "none" }), {
    status: 503,
  });
  assert.equal(server.asked.length, 1);
  await assert.rejects(signatures.get(subscriptionUrn), { status: 503 });
  assert.equal(server.asked.length, 5);
});

test("refuses an answer that lacks what the type promises", async () => {
  await using server = await serveCarillon(() => ({
    body: { users: [{ id: "u1" }] },
  }));
  await assert.rejects(server.carillon.users.list(), InvalidResponseError);
});

test("has the server's own text of problem details", async () => {
  await using server = await serveCarillon(() => ({
    status: 400,
    headers: { "content-type": "application/problem+json" },
    body: { title: "Invalid", detail: "The name is too long.", code: "X" },
  }));
  await assert.rejects(server.carillon.domains.create({ name: "x" }), {
    status: 400,
    smnCode: "X",
    reason: "The name is too long.",
  });
});
