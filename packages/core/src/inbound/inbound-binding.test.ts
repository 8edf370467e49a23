import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createInboundBindings,
  parseInboundBinding,
} from "./inbound-binding.ts";
import { keywordOf } from "./inbound-message.ts";

test("reads number, keyword and topic", () => {
  assert.deepEqual(parseInboundBinding("+4915112345678/join=members"), {
    number: "4915112345678",
    keyword: "JOIN",
    topicName: "members",
  });
  assert.deepEqual(parseInboundBinding(" 12345 = orders "), {
    number: "12345",
    topicName: "orders",
  });
  assert.deepEqual(parseInboundBinding("*/žádost=a_b-c"), {
    keyword: "ŽÁDOST",
    topicName: "a_b-c",
  });
  assert.deepEqual(parseInboundBinding("*=inbox"), { topicName: "inbox" });
});

test("takes nothing else for a binding", () => {
  for (const text of [
    "",
    "inbox",
    "=inbox",
    "*=",
    "*= two words",
    "**=inbox",
    "4915x=inbox",
    "1=inbox",
    "*/=inbox",
    "*/two words=inbox",
    "*/!=inbox",
    "*=urn:smn:a",
    "*=a=b",
  ]) {
    assert.equal(parseInboundBinding(text), undefined, text);
  }
});

test("says that the topic of events is nobody's to bind", () => {
  assert.throws(() => parseInboundBinding("*/join=carillon-events"), {
    code: "TOPIC_RESERVED",
  });
});

test("the most specific binding counts", () => {
  const find = createInboundBindings(
    [
      "*=any",
      "*/JOIN=any-join",
      "4915112345678=number",
      "4915112345678/JOIN=number-join",
    ].flatMap((text) => parseInboundBinding(text) ?? []),
  );
  const topic = (number: string | undefined, text: string) =>
    find(number, keywordOf(text))?.topicName;
  assert.equal(topic("+4915112345678", "Join us"), "number-join");
  assert.equal(topic("+4915112345678", "Leave"), "number");
  assert.equal(topic("+4915112345678", "?!"), "number");
  assert.equal(topic("12345", "join!"), "any-join");
  assert.equal(topic(undefined, "join"), "any-join");
  assert.equal(topic(undefined, ""), "any");
});

test("without a catch-all other texts have no topic", () => {
  const find = createInboundBindings([{ number: "12345", topicName: "a" }]);
  assert.equal(find("54321", undefined), undefined);
  assert.equal(find(undefined, "12345"), undefined);
});

test("two topics for the same are a mistake", () => {
  assert.throws(
    () => createInboundBindings([{ topicName: "a" }, { topicName: "b" }]),
    TypeError,
  );
});

test("the keyword is the first word, in capitals", () => {
  assert.equal(keywordOf("  «stop»! now"), "STOP");
  assert.equal(keywordOf("е́жик"), "Е́ЖИК");
  assert.equal(keywordOf("2 pizzas"), "2");
  assert.equal(keywordOf("🛎 !"), undefined);
  assert.equal(keywordOf(""), undefined);
  assert.equal(keywordOf("x".repeat(500))?.length, 32);
});
