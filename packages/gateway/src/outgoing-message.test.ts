import assert from "node:assert/strict";
import { test } from "node:test";
import { OutgoingMessage } from "./outgoing-message.ts";

test("normalises the recipient and leaves the sender alone", () => {
  const message = new OutgoingMessage("+1 (23) 4", "hi", "+987");
  assert.equal(message.dst, "1234");
  assert.equal(message.src, "+987");
});

test("begins with nothing but defaults", () => {
  const message = new OutgoingMessage("1", "hi");
  assert.equal(message.src, null);
  assert.equal(message.provider, null);
  assert.equal(message.routingValues, null);
  assert.equal(message.msgid, null);
  assert.equal(message.meta, null);
  assert.deepEqual(message.providerParams, {});
  assert.deepEqual(message.providerOptions, {
    allowReply: true,
    statusReport: false,
    expires: null,
    senderId: null,
    escalate: false,
    messageClass: null,
  });
});

test("options merge, params and route replace", () => {
  const message = new OutgoingMessage("1", "hi")
    .options({ senderId: "me", expires: 5 })
    .options({ expires: 10 }, { flash: true })
    .params({ a: 1 })
    .params({ b: 2 })
    .route("users", 1)
    .route("admins");
  assert.equal(message.providerOptions.senderId, "me");
  assert.equal(message.providerOptions.expires, 10);
  assert.equal(message.providerOptions.flash, true);
  assert.deepEqual(message.providerParams, { b: 2 });
  assert.deepEqual(message.routingValues, ["admins"]);
});

test("route without values is still a wish to be routed", () => {
  assert.deepEqual(new OutgoingMessage("1", "hi").route().routingValues, []);
});

test("explicitOptions lists what was set, defaults included", () => {
  const message = new OutgoingMessage("1", "hi").options({ allowReply: true });
  message.providerOptions.escalate = true;
  assert.deepEqual(message.explicitOptions(), {
    allowReply: true,
    escalate: true,
  });
});

test("options of one message do not reach another", () => {
  new OutgoingMessage("1", "hi").options({ escalate: true });
  const other = new OutgoingMessage("1", "hi");
  assert.equal(other.providerOptions.escalate, false);
});

test("options cannot reach the prototype", () => {
  const options = JSON.parse('{"__proto__": {"polluted": true}}');
  const message = new OutgoingMessage("1", "hi").options(options);
  assert.equal(message.providerOptions.polluted, undefined);
  assert.equal(Object.hasOwn(message.providerOptions, "__proto__"), false);
});

test("survives JSON", () => {
  const message = new OutgoingMessage("1", "hi", "me", "lo")
    .options({ statusReport: true })
    .params({ a: [1] })
    .route("x");
  message.msgid = "7";
  message.meta = { cost: 1 };
  const json = JSON.parse(JSON.stringify(message));
  assert.deepEqual(OutgoingMessage.fromJSON(json), message);
});

test("reset clears a provider that the gateway chose", () => {
  const message = new OutgoingMessage("1", "hi");
  message.provider = "one";
  message.choice = { by: "router", provider: "one" };
  message.msgid = "1";
  message.sentAt = new Date();
  message.reset();
  assert.equal(message.provider, null);
  assert.equal(message.msgid, null);
  assert.equal(message.sentAt, null);
});

test("reset restores the provider that the sender demanded", () => {
  const message = new OutgoingMessage("1", "hi", null, "fwd");
  message.choice = { by: "explicit", provider: "fwd" };
  // What a forward client leaves behind.
  message.provider = "lo";
  assert.equal(message.reset().provider, "fwd");
});

test("a clone is unsent and shares nothing that changes", () => {
  const message = new OutgoingMessage("1", "hi").params({ a: 1 });
  message.msgid = "1";
  const copy = message.clone();
  copy.providerParams.a = 2;
  copy.options({ escalate: true });
  assert.equal(copy.msgid, null);
  assert.deepEqual(message.providerParams, { a: 1 });
  assert.equal(message.providerOptions.escalate, false);
});

test("a name or value that is no option is refused", () => {
  const set = (options: object) =>
    new OutgoingMessage("1", "hi").options(options);
  for (const [options, problem] of [
    [{ statusreport: true }, /"statusreport"; "statusReport" is meant/],
    [{ status_report: true }, /"statusReport" is meant/],
    [{ statusReport: "yes" }, /"statusReport" must be boolean, got a string/],
    [{ expires: "60" }, /"expires" must be number or null/],
    [{ senderId: 5 }, /"senderId" must be string or null, got a number/],
  ] as const) {
    assert.throws(() => set(options), {
      name: "ConfigurationError",
      message: problem,
    });
  }
  // Other makes of providers have options of their own.
  assert.equal(set({ flash: 1 }).providerOptions.flash, 1);
  const nothing: unknown = null;
  assert.throws(
    () => set(nothing as object),
    /options takes an object, got null/,
  );
});

test("fields that are no text are refused", () => {
  const build = (...args: unknown[]) =>
    Reflect.construct(OutgoingMessage, args);
  for (const [args, problem] of [
    [[], /message's dst must be a string, got undefined/],
    [[420777, "hi"], /dst must be a string, got a number/],
    [["1"], /body must be a string, got undefined/],
    [["1", "hi", 5], /src must be a string, got a number/],
    [["1", "hi", null, {}], /provider must be a string, got an object/],
  ] as const) {
    assert.throws(() => build(...args), {
      name: "RequestError",
      message: problem,
    });
  }
});

test("a copy keeps what opt-outs mean for it", () => {
  const message = new OutgoingMessage("1", "hi");
  message.optOutRule = "never";
  assert.equal(message.clone().optOutRule, "never");
  assert.equal(OutgoingMessage.name, "OutgoingMessage");
});
