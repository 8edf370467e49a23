import assert from "node:assert/strict";
import { test } from "node:test";
import { defineTestProtocol } from "@carillon/testing";
import { createProtocols } from "../subscriptions/protocol.ts";
import { toEpochMs } from "../time.ts";
import {
  checkMessageOptions,
  checkRelatedObject,
  type MessageOptions,
  messageOptionLimits,
} from "./message-options.ts";

const now = toEpochMs(1_000_000);

const protocols = createProtocols([
  defineTestProtocol("http", { problemWithEndpoint: problemWithUrl }),
  defineTestProtocol("https", { problemWithEndpoint: problemWithUrl }),
]);

function problemWithUrl(endpoint: string): string | undefined {
  return /^https?:\/\/[^/?#\s]+(?![^/?#])/.test(endpoint)
    ? undefined
    : "it is no URL";
}

const check = (options: MessageOptions) =>
  checkMessageOptions(options, now, protocols);

test("what is not given is no member", () => {
  assert.deepEqual(check({}), {});
  assert.deepEqual(
    check({ tag: null, class: undefined, relatedObjects: [], extraData: null }),
    {},
  );
});

test("takes what fits, as it was given", () => {
  const most = messageOptionLimits;
  for (const options of [
    { tag: "a" },
    { tag: "x".repeat(most.tagLength) },
    { tag: "orders.eu:2026-01_a" },
    { class: "otp" },
    { class: "transactional" },
    { class: "bulk" },
    { sms: { sender: "ACME" } },
    { priority: 1 },
    { priority: 3 },
    { extraData: {} },
    { extraData: { a: "\\u0000 as text", b: [null, { c: 1 }] } },
    { extraData: { a: "x".repeat(most.extraDataBytes - 8) } },
    { orderingKey: "x".repeat(most.orderingKeyLength) },
    { orderingKey: "Bestellung 7/ü" },
    { statusUrl: "https://example.com/a?b=%20" },
    { statusUrl: "http://127.0.0.1:8080/" },
    { notBefore: toEpochMs(now + 1) },
    { notBefore: toEpochMs(now + most.notBeforeMs) },
  ]) {
    assert.deepEqual(check(options), options);
  }
});

test("of another scheme it is said which ones there are", () => {
  assert.throws(() => check({ statusUrl: "ftp://example.com/" }), {
    message: "Invalid statusUrl: it does not start with http:// or https://.",
  });
});

test("an instant that is not ahead is left out", () => {
  for (const notBefore of [0, now - 1, now]) {
    assert.deepEqual(check({ notBefore: toEpochMs(notBefore) }), {});
  }
});

test("an id that is an integer is the same as its digits, and each counts once", () => {
  assert.deepEqual(
    check({
      relatedObjects: [
        { type: "order", id: 4711 },
        { type: "order", id: "4711" },
        { type: "shop.customer", id: "a b", ignored: 1 },
        { type: "order", id: -1 },
      ],
    }),
    {
      relatedObjects: [
        { type: "order", id: "4711" },
        { type: "shop.customer", id: "a b" },
        { type: "order", id: "-1" },
      ],
    },
  );
});

test("refuses what does not fit, and names it", () => {
  const most = messageOptionLimits;
  const object = { type: "order", id: "1" };
  for (const [options, named] of [
    [{ tag: "" }, "tag"],
    [{ tag: "x".repeat(most.tagLength + 1) }, "tag"],
    [{ tag: "two words" }, "tag"],
    [{ tag: "tag\n" }, "tag"],
    [{ tag: 1 }, "tag"],
    [{ class: "urgent" }, "class"],
    [{ class: "" }, "class"],
    [{ sms: "ACME" }, "sms"],
    [{ sms: { sender: "" } }, "sms.sender"],
    [{ priority: 0 }, "priority"],
    [{ priority: 4 }, "priority"],
    [{ priority: 1.5 }, "priority"],
    [{ priority: "1" }, "priority"],
    [{ orderingKey: "" }, "orderingKey"],
    [{ orderingKey: 7 }, "orderingKey"],
    [{ orderingKey: "a\0" }, "orderingKey"],
    [{ orderingKey: "\ud800" }, "orderingKey"],
    [{ orderingKey: "x".repeat(most.orderingKeyLength + 1) }, "orderingKey"],
    [{ relatedObjects: {} }, "relatedObjects"],
    [
      { relatedObjects: Array(most.relatedObjects + 1).fill(object) },
      "relatedObjects",
    ],
    [{ relatedObjects: [object, null] }, "relatedObjects[1]"],
    [{ relatedObjects: [{ type: "order" }] }, "relatedObjects[0]"],
    [{ relatedObjects: [{ type: "", id: "1" }] }, "relatedObjects[0]"],
    [{ relatedObjects: [{ type: "a b", id: "1" }] }, "relatedObjects[0]"],
    [{ relatedObjects: [{ type: "order", id: "" }] }, "relatedObjects[0]"],
    [{ relatedObjects: [{ type: "order", id: 1.5 }] }, "relatedObjects[0]"],
    [{ relatedObjects: [{ type: "order", id: 2 ** 53 }] }, "relatedObjects[0]"],
    [
      { relatedObjects: [{ type: "order", id: "\u0000" }] },
      "relatedObjects[0]",
    ],
    [
      { relatedObjects: [{ type: "order", id: "\ud800" }] },
      "relatedObjects[0]",
    ],
    [{ extraData: [] }, "extraData"],
    [{ extraData: "x" }, "extraData"],
    [{ extraData: { a: "\u0000" } }, "extraData"],
    [{ extraData: { a: "\\\u0000" } }, "extraData"],
    [{ extraData: { a: "x".repeat(most.extraDataBytes) } }, "extraData"],
    [{ statusUrl: "ftp://example.com/" }, "statusUrl"],
    [{ statusUrl: "https://" }, "statusUrl"],
    [{ statusUrl: "https://a b/" }, "statusUrl"],
    [
      { statusUrl: `https://a/${"x".repeat(most.statusUrlLength)}` },
      "statusUrl",
    ],
    [{ statusUrl: 1 }, "statusUrl"],
    [{ notBefore: toEpochMs(now + most.notBeforeMs + 1) }, "notBefore"],
  ] satisfies [MessageOptions, string][]) {
    assert.throws(
      () => check(options),
      (error: Error & { code?: string }) =>
        error.code === "MESSAGE_OPTION_INVALID" &&
        error.message.startsWith(`Invalid ${named}: `),
      JSON.stringify(options),
    );
  }
  assert.throws(() => checkRelatedObject(undefined), /^CarillonError: Invalid/);
});
