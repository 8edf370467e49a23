import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestError } from "../errors.ts";
import { Gateway } from "../gateway.ts";
import { IncomingMessage } from "../incoming-message.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { LoopbackProvider } from "../providers/loopback/provider.ts";
import { OptOut, type OptOutOptions } from "./opt-out.ts";
import { MemoryOptOutStore, type OptOutEntry } from "./store.ts";
import { SuppressedError } from "./suppressed-error.ts";

const PHONE = "+420 777 123 456";
const digits = "420777123456";

function setUp(options: OptOutOptions = {}) {
  const optOut = new OptOut(options);
  const gateway = new Gateway({ optOut });
  const loopback = gateway.addProvider("lo", new LoopbackProvider());
  const say = async (body: string, dst: string | null = "111") => {
    const message = new IncomingMessage(PHONE, body, { dst });
    await gateway.receive(message);
    return message;
  };
  const send = (
    src: string | null = "111",
    messageClass: string | null = null,
  ) =>
    gateway.send(
      new OutgoingMessage(PHONE, "hi", src).options({ messageClass }),
    );
  return { optOut, gateway, loopback, say, send };
}

test("after STOP nothing is sent, and the error has the reason", async () => {
  const { loopback, say, send } = setUp();
  await send();
  loopback.takeTraffic();
  const stop = await say("Stop!");
  assert.equal(stop.keyword, "stop");
  await assert.rejects(send(), (error) => {
    assert.ok(error instanceof SuppressedError);
    assert.ok(error instanceof RequestError);
    assert.equal(error.code, "SUPPRESSED");
    assert.equal(error.scope, "sender");
    assert.equal(error.keyword, "STOP");
    assert.equal(error.since, stop.rtime);
    assert.equal(error.retryable, false);
    assert.doesNotMatch(error.message, /777/);
    return true;
  });
  assert.deepEqual(loopback.takeTraffic(), []);
});

test("STOP counts for the number it was sent to", async () => {
  const { say, send } = setUp();
  await say("STOP", "111");
  await send("+222");
  await assert.rejects(send("+1 11"), SuppressedError);
});

test("a message that leaves the sender to the carrier is suppressed", async () => {
  const { say, send } = setUp();
  await say("STOP", "111");
  await assert.rejects(send(null), SuppressedError);
});

test("the sender ID goes before the number", async () => {
  const { gateway, say } = setUp();
  await say("STOP", "111");
  const message = new OutgoingMessage(PHONE, "hi", "111");
  await gateway.send(message.options({ senderId: "Acme" }));
});

test("STOP to an unknown number, and STOP ALL, count for every sender", async () => {
  for (const [word, dst] of [
    ["STOP", null],
    ["STOP ALL", "111"],
  ] as const) {
    const { say, send } = setUp();
    await say(word, dst);
    await assert.rejects(send("222"), { scope: "global" });
  }
});

test("START takes back the number's and the global STOP", async () => {
  const { say, send, optOut } = setUp();
  await say("STOP", "111");
  await say("STOP", "222");
  await say("STOPALL", "111");
  assert.equal((await say("start", "111")).keyword, "start");
  await send("111");
  await assert.rejects(send("222"), { scope: "sender" });
  await say("START", null);
  await send("222");
  assert.deepEqual(await optOut.store.find(digits), []);
});

test("HELP is noted and changes nothing", async () => {
  const { say, send } = setUp();
  assert.equal((await say("help")).keyword, "help");
  assert.equal((await say("hello")).keyword, null);
  await send();
});

test("other people are not concerned", async () => {
  const { gateway, say } = setUp();
  await say("STOP", null);
  await gateway.send(new OutgoingMessage("420600000000", "hi"));
});

test("exempt classes are sent all the same", async () => {
  const { say, send } = setUp({ exemptClasses: ["otp"] });
  await say("STOP");
  await send("111", "otp");
  await assert.rejects(send("111", "bulk"), SuppressedError);
});

test("a confirmation can be let through, and nothing else with it", async () => {
  const { gateway, optOut, say, send } = setUp();
  gateway.onReceive.add(async ({ src, keyword }) => {
    if (keyword !== "stop") return;
    const message = new OutgoingMessage(src, "You will get no more texts.");
    await gateway.send(optOut.exempt(message));
  });
  await say("STOP");
  await assert.rejects(send(), SuppressedError);
});

test("the entry is kept before the hooks run", async () => {
  const { gateway, optOut, say } = setUp();
  const counts: number[] = [];
  gateway.onReceive.add(async () => {
    counts.push((await optOut.store.find(digits)).length);
  });
  await say("STOP");
  assert.deepEqual(counts, [1]);
});

test("a store that fails makes the carrier repeat the text", async () => {
  const store = new MemoryOptOutStore();
  store.put = () => {
    throw new Error("disk full");
  };
  const { gateway, say } = setUp({ store });
  let heard = false;
  gateway.onReceive.add(() => {
    heard = true;
  });
  await assert.rejects(say("STOP"), /disk full/);
  assert.equal(heard, false);
});

test("an asynchronous store works alike", async () => {
  const inner = new MemoryOptOutStore();
  const { say, send } = setUp({
    store: {
      find: async (recipient) => inner.find(recipient),
      put: async (entry) => inner.put(entry),
      remove: async (recipient, sender) => inner.remove(recipient, sender),
    },
  });
  await say("STOP");
  await assert.rejects(send(), SuppressedError);
  await say("START");
  await send();
});

test("a sender that is no number cannot opt out of anything", async () => {
  const { gateway, optOut } = setUp();
  await gateway.receive(new IncomingMessage("Acme", "STOP"));
  assert.deepEqual(await optOut.store.find(""), []);
});

test("the store in memory keeps one entry per recipient and sender", () => {
  const store = new MemoryOptOutStore();
  const entry: OptOutEntry = {
    recipient: "1",
    sender: null,
    keyword: "STOP",
    at: new Date(0),
  };
  store.put(entry);
  store.put({ ...entry, keyword: "END" });
  store.put({ ...entry, sender: "111" });
  assert.deepEqual(
    store.find("1").map(({ sender, keyword }) => [sender, keyword]),
    [
      [null, "END"],
      ["111", "STOP"],
    ],
  );
  store.remove("1", null);
  store.remove("1", "111");
  store.remove("2", null);
  assert.deepEqual(store.find("1"), []);
});

test("a number is the same person however it is dialled", async () => {
  for (const [from, to] of [
    ["00420777123456", "+420777123456"],
    ["+420777123456", "00420777123456"],
  ] as const) {
    const { gateway, optOut } = setUp();
    await gateway.receive(new IncomingMessage(from, "STOP", { dst: "00111" }));
    assert.deepEqual(
      (await optOut.store.find(digits)).map(({ sender }) => sender),
      ["111"],
    );
    const message = new OutgoingMessage(to, "hi", "+111");
    await assert.rejects(gateway.send(message), SuppressedError);
    await gateway.receive(new IncomingMessage(to, "START", { dst: "+111" }));
    await gateway.send(message);
  }
});

test("which words count depends on the country of the number", async () => {
  const { gateway } = setUp();
  const keywordOf = async (from: string, body: string) => {
    const message = new IncomingMessage(from, body);
    await gateway.receive(message);
    return message.keyword;
  };
  assert.equal(await keywordOf("+905321234567", "RED"), "stop");
  assert.equal(await keywordOf("00905321234567", "RED"), "stop");
  assert.equal(await keywordOf("+447700900123", "RED"), null);
});
