/**
 * What a message's texts are sent with, from the public APIs through the real
 * store to what a provider is given.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenIn } from "../../../test-support/test-server.ts";
import {
  RecordingProvider,
  startTextServer,
} from "../../../test-support/text-server.ts";

const url = "/api/v2/messages";
const phone = { protocol: "sms", endpoint: "+4915112345678" };
const direct = { kind: "direct", recipients: [phone] };

const sms = {
  sender: "ACME",
  provider: "two",
  validityMinutes: 5,
  allowReply: false,
  escalate: true,
  statusReport: false,
  params: { campaign: "spring", tags: ["a", { b: 1 }] },
};

const smnOptions = {
  sender: "ACME",
  provider: "two",
  validity_minutes: 5,
  allow_reply: false,
  escalate: true,
  status_report: false,
  params: { campaign: "spring", tags: ["a", { b: 1 }] },
};

const wishes = {
  by: "explicit",
  senderId: "ACME",
  expires: 5,
  allowReply: false,
  escalate: true,
  statusReport: false,
  messageClass: "transactional",
  params: { campaign: "spring", tags: ["a", { b: 1 }] },
};

test("a direct message's options reach the provider that it names, for each recipient", async () => {
  await using it = await startTextServer();
  const other = { ...phone, endpoint: "+4915187654321" };
  const id = await it.send({
    audience: { kind: "direct", recipients: [phone, other] },
    class: "transactional",
    sms,
  });
  const given = await it.given(it.two, 2);
  assert.deepEqual(
    given.toSorted((a, b) => a.dst.localeCompare(b.dst)),
    [
      { ...wishes, dst: "4915112345678" },
      { ...wishes, dst: "4915187654321" },
    ],
  );
  assert.deepEqual(it.one.given, []);
  const { body } = await it.call("GET", `${url}/${id}`);
  assert.deepEqual(body.sms, sms);
});

test("a topic's subscribers by SMS get the same, and the others their message", async () => {
  await using it = await startTextServer();
  const { server, call, base } = it;
  await call("POST", `${base}/topics`, { name: "a" });
  const path = `${base}/topics/${server.topicUrn("a")}`;
  const subscribe = (protocol: string, endpoint: string) =>
    call("POST", `${path}/subscriptions`, { protocol, endpoint });
  const confirm = async (token: string) => {
    const route = `/smn/subscription/confirm?token=${token}`;
    const { statusCode } = await server.app.inject({
      method: "GET",
      url: route,
    });
    assert.ok(statusCode < 400, String(statusCode));
  };
  await subscribe("https", "https://a.test/");
  const notice = await it.until(() => server.sent[0]);
  await confirm(tokenIn(notice.message.content));
  await subscribe("sms", phone.endpoint);
  const text = await it.until(() => it.one.texts[0]);
  await confirm(/\/c\/(\S+)/.exec(text)?.[1] ?? "");
  // The text that invites is as the gateway is set up.
  const [invitation] = await it.given(it.one, 1);
  assert.deepEqual(
    [invitation?.by, invitation?.senderId, invitation?.params],
    ["default", null, {}],
  );
  const before = server.sent.length;
  const published = await call("POST", `${path}/publish`, {
    message: "x",
    class: "transactional",
    sms_options: smnOptions,
  });
  assert.equal(published.status, 200, JSON.stringify(published.body));
  const sent = await it.until(() => server.sent.slice(before)[0]);
  assert.equal(sent.recipient.protocol, "https");
  const toPhone = { ...wishes, dst: "4915112345678" };
  assert.deepEqual(await it.given(it.two, 1), [toPhone]);
  const ours = await call("POST", url, {
    audience: { kind: "topic", topicUrn: server.topicUrn("a") },
    text: "x",
    sms,
  });
  assert.equal(ours.status, 201);
  assert.deepEqual((await it.given(it.two, 2))[1], {
    ...toPhone,
    messageClass: null,
  });
  assert.deepEqual(
    (await call("GET", `${url}/${ours.body.id}`)).body.sms,
    (await call("GET", `${url}/${published.body.message_id}`)).body.sms,
  );
});

test("SMN's text to one phone takes them beside its own members", async () => {
  await using it = await startTextServer();
  const { call, base, clock } = it;
  const send = (body: object) =>
    call("POST", `${base}/sms`, {
      endpoint: phone.endpoint,
      message: "x",
      ...body,
    });
  const { status, body } = await send({
    class: "transactional",
    sms_options: smnOptions,
    status_url: "https://a.test/told",
    not_before: new Date(clock.now() + 60_000).toISOString(),
    time_to_live: "600",
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body).sort(), ["message_id", "request_id"]);
  await clock.advanceSettled(59_000);
  assert.deepEqual(it.two.given, []);
  await clock.advanceSettled(1000);
  const given = await it.given(it.two, 1);
  assert.deepEqual(given, [{ ...wishes, dst: "4915112345678" }]);
  // As clients of SMN send it, with what only some versions know.
  const plain = await send({ sign_id: "s", sms_options: null, class: "" });
  assert.equal(plain.status, 200, JSON.stringify(plain.body));
  const [asBefore] = await it.given(it.one, 1);
  assert.deepEqual(
    [asBefore?.by, asBefore?.senderId, asBefore?.messageClass],
    ["default", null, null],
  );
  for (const [options, problem] of [
    [{ sms_options: "ACME" }, "Invalid sms_options: an object is expected."],
    [
      { sms_options: { provider: "three" } },
      'Invalid sms_options.provider: there is no provider called "three"; leave it out, or ask an operator for its name',
    ],
    [
      { sms_options: { validity_minutes: 0 } },
      "Invalid sms_options.validity_minutes: ",
    ],
    [{ not_before: "soon" }, "Invalid not_before: "],
    [{ class: "urgent" }, "Invalid class: "],
    [{ time_to_live: "0" }, "Invalid time_to_live: "],
    [{ status_url: "ftp://a" }, "Invalid status_url: "],
  ] as const) {
    const refused = await send(options);
    assert.equal(refused.status, 400, JSON.stringify(options));
    const said = JSON.stringify(refused.body).replaceAll('\\"', '"');
    assert.ok(said.includes(problem), said);
  }
});

test("a carrier is told no longer validity than is left of the text's life", async () => {
  await using it = await startTextServer();
  let count = 0;
  for (const [body, minutes] of [
    [{}, 240],
    [{ class: "otp" }, 10],
    [{ timeToLiveSeconds: 600 }, 10],
    [{ timeToLiveSeconds: 659 }, 10],
    // The shortest that a carrier knows.
    [{ timeToLiveSeconds: 30 }, 1],
    [{ sms: { validityMinutes: 5 } }, 5],
    [{ timeToLiveSeconds: 120, sms: { validityMinutes: 5 } }, 2],
    [{ class: "otp", sms: { validityMinutes: 10_080 } }, 10],
  ] as const) {
    await it.send(body);
    const given = await it.given(it.one, ++count);
    assert.equal(given.at(-1)?.expires, minutes, JSON.stringify(body));
  }
});

test("a provider that is not there is refused, and the answer lists those that are", async () => {
  await using it = await startTextServer();
  const refused = await it.call("POST", url, {
    audience: direct,
    text: "x",
    sms: { provider: "three" },
  });
  assert.deepEqual(
    [refused.status, refused.body.code],
    [400, "MESSAGE_OPTION_INVALID"],
  );
  assert.match(
    refused.body.detail,
    /^Invalid sms\.provider: there is no provider called "three"; leave it out\b/,
  );
  for (const [body, detail] of [
    [{ sms: { senderId: "A" } }, /sms has no member senderId/],
    [{ sms: { params: { To: "+49" } } }, /To may not be given/],
    [{ sms: { validityMinutes: 0.5 } }, /whole minutes/],
    [{ sms: { escalate: "yes" } }, /sms\.escalate must be boolean/],
    [
      {
        sms: { escalate: true },
        audience: {
          kind: "direct",
          recipients: [{ protocol: "email", endpoint: "a@example.com" }],
        },
      },
      /none of the recipients is reached by SMS/,
    ],
  ] as const) {
    const { status, body: problem } = await it.call("POST", url, {
      audience: direct,
      text: "x",
      ...body,
    });
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(problem.detail, detail);
  }
  const { body } = await it.call("GET", url);
  assert.deepEqual(body.messages, []);
});

test("of a provider that is gone by then the delivery says so, and waits; no other is used", async () => {
  await using it = await startTextServer();
  const notBefore = new Date(it.clock.now() + 60_000).toISOString();
  const id = await it.send({ notBefore, sms: { provider: "two" } });
  await it.gateway.removeProvider("two");
  await it.clock.advanceSettled(60_000);
  const waiting = await it.delivery(id, ({ state }) => state === "retrying");
  const { error } = waiting.attempts.at(-1);
  assert.match(error, /"two"/);
  assert.deepEqual([it.one.given, it.two.given], [[], []]);
  const again = it.gateway.addProvider("two", new RecordingProvider());
  await it.clock.advanceSettled(60_000);
  const [given] = await it.given(again, 1);
  assert.equal(given?.by, "explicit");
  await it.delivery(id, ({ state }) => state === "sent");
});
