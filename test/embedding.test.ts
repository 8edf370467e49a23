/** The service as part of a program, on a real folder: sent, closed, killed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LoopbackProvider,
  NullProvider,
  type OutgoingMessage,
} from "@carillon/gateway";
import { open } from "@carillon/server";
import { startEmbeddingProcess } from "./harness/embedding-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";

const phone = "+420777123456";

/** Takes texts, and answers when it is told to. */
class SlowProvider extends NullProvider {
  readonly reached = Promise.withResolvers<void>();
  readonly answer = Promise.withResolvers<void>();

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.reached.resolve();
    await this.answer.promise;
    return super.send(message);
  }
}

test("a text is sent, found by what it is about, and answered as it stands", async () => {
  await using folder = await createFolder();
  const carrier = new LoopbackProvider();
  const shown: string[] = [];
  carrier.subscribe(phone, ({ body }) => {
    shown.push(body);
  });
  await using carillon = await open({
    data: folder.path,
    providers: { carrier },
  });
  const message = await carillon.sms.send({
    to: phone,
    text: "Hello",
    tag: "welcome",
    relatedObjects: [{ type: "user", id: 7 }],
    priority: 1,
    extraData: { campaign: "autumn" },
  });
  assert.equal(message.state, "delivered", JSON.stringify(message));
  assert.equal(message.backend, "carrier");
  assert.equal(message.attempts, 1);
  assert.equal(message.isFinal, true);
  assert.deepEqual(message.pymessState, { name: "DELIVERED", number: 7 });
  assert.deepEqual(message.extraData, { campaign: "autumn" });
  assert.deepEqual(shown, ["Hello"]);
  const other = await carillon.sms.send({ to: "+420777123457", text: "Hi" });

  const idsOf = async (query: Parameters<typeof carillon.sms.list>[0]) => {
    const found = await Array.fromAsync(carillon.sms.list(query));
    return found.map(({ id }) => id);
  };
  assert.deepEqual(await idsOf({}), [other.id, message.id]);
  for (const query of [
    { tag: "welcome" },
    { to: phone },
    { relatedObjects: [{ type: "user", id: 7 }] },
    { relatedObjects: [{ type: "user", id: "7" }] },
    { to: phone, since: message.createdAt },
  ]) {
    assert.deepEqual(await idsOf(query), [message.id], JSON.stringify(query));
  }
  assert.deepEqual(await idsOf({ until: message.createdAt }), []);
  const kept = await carillon.sms.relatedObjects.add(other.id, [
    { type: "user", id: 7 },
  ]);
  assert.deepEqual(
    kept.map(({ type, id }) => [type, id]),
    [["user", "7"]],
  );
  const { messages, next } = await carillon.sms.page(
    { relatedObjects: [{ type: "user", id: 7 }] },
    { limit: 1 },
  );
  assert.deepEqual([messages[0]?.id, messages.length], [other.id, 1]);
  assert.ok(next);
});

test("bad requests are refused, and nothing is stored", async () => {
  await using folder = await createFolder();
  await using carillon = await open({
    data: folder.path,
    providers: { carrier: new NullProvider() },
  });
  const { sms } = carillon;
  for (const [request, code] of [
    [{ to: "hello", text: "Hi" }, /^(RECIPIENTS|ENDPOINT)_INVALID$/],
    [{ to: "", text: "Hi" }, /^(RECIPIENTS|ENDPOINT)_INVALID$/],
    [{ to: phone, text: "" }, /^MESSAGE_INVALID$/],
    [
      { to: phone, text: "Hi", tag: "x".repeat(51) },
      /^MESSAGE_OPTION_INVALID$/,
    ],
    [{ to: phone, text: "Hi", priority: 4 }, /^MESSAGE_OPTION_INVALID$/],
    [{ to: phone, text: "Hi", backend: "none" }, /^MESSAGE_OPTION_INVALID$/],
    [
      { to: phone, text: "Hi", relatedObjects: [{}] },
      /^MESSAGE_OPTION_INVALID$/,
    ],
    [{ to: phone, txt: "Hi" }, /^REQUEST_INVALID$/],
  ] as const) {
    // As a program in JavaScript may have it.
    const wrong = request as unknown as { to: string; text: string };
    await assert.rejects(sms.send(wrong), { code }, JSON.stringify(request));
  }
  assert.deepEqual(await Array.fromAsync(sms.list()), []);
});

test("a bulk is one text to each, all or none", async () => {
  await using folder = await createFolder();
  await using carillon = await open({
    data: folder.path,
    providers: { carrier: new NullProvider() },
  });
  const { sms } = carillon;
  const to = ["+420777123456", "+420777123457", "+420777123458"];
  const sent = await sms.sendBulk({ to, text: "Hi", waitMs: 5000 });
  assert.deepEqual(
    sent.map((message) => [message.to, message.state]),
    to.map((number) => [number, "debug"]),
  );
  await assert.rejects(sms.sendBulk({ to: [...to, "x"], text: "Hi" }));
  assert.equal((await Array.fromAsync(sms.list())).length, 3);
});

test("closing finishes a send that is under way", async () => {
  await using folder = await createFolder();
  const carrier = new SlowProvider();
  const carillon = await open({ data: folder.path, providers: { carrier } });
  const sending = carillon.sms.send({ to: phone, text: "Hello" });
  await carrier.reached.promise;
  const closing = carillon.close();
  await assert.rejects(carillon.sms.send({ to: phone, text: "Late" }), {
    code: "SHUTTING_DOWN",
  });
  // Answered as it stands; what is under way goes on.
  const { id, state } = await sending;
  assert.equal(state, "sending");
  carrier.answer.resolve();
  await closing;
  await carillon.close();
  await using again = await open({ data: folder.path });
  assert.equal((await again.sms.find(id))?.state, "debug");
});

test("a send that closing interrupts is unknown, and is not repeated", async () => {
  await using folder = await createFolder();
  const carrier = new SlowProvider();
  const carillon = await open({ data: folder.path, providers: { carrier } });
  const sending = carillon.sms.send({ to: phone, text: "Hello" });
  // It may end with an error, or with the message as it stands.
  sending.catch(() => {});
  await carrier.reached.promise;
  await carillon.close({ signal: AbortSignal.abort() });
  await Promise.allSettled([sending]);

  const after = new SlowProvider();
  await using again = await open({
    data: folder.path,
    providers: { carrier: after },
  });
  const [message] = await Array.fromAsync(again.sms.list());
  assert.equal(message?.state, "unknown");
});

test("kill -9 between hand-over and outcome loses nothing and repeats nothing", async () => {
  await using folder = await createFolder();
  let taken = "";
  let waiting = "";
  {
    await using program = startEmbeddingProcess();
    await program.call("open", folder.path);
    taken = await program.call("send", phone);
    const inAnHour = new Date(Date.now() + 3_600_000);
    waiting = await program.call("send", "+420777123457", inAnHour);
    await program.call("handedOver");
  }
  const carrier = new LoopbackProvider();
  await using carillon = await open({
    data: folder.path,
    providers: { carrier },
  });
  const { sms } = carillon;
  assert.equal((await sms.find(taken))?.state, "unknown");
  assert.equal((await sms.find(taken))?.pymessState.name, "UNKNOWN");
  assert.equal((await sms.find(waiting))?.state, "waiting");
  assert.equal((await sms.cancel(waiting)).state, "cancelled");
  const later = await sms.send({ to: "+420777123458", text: "Hi" });
  assert.equal(later.state, "sent");
  // What was handed over before is not among it.
  const texts = carrier.takeTraffic().filter((it) => "dst" in it);
  assert.equal(texts.length, 1);
  assert.equal((await sms.retry(taken)).id, taken);
});

test("a mail is sent and kept as a text is", async () => {
  await using folder = await createFolder();
  // Its mail server takes everything.
  await using carillon = await open({ data: folder.path, sandbox: true });
  const { email } = carillon;
  const mail = await email.send({
    to: "ann@example.com",
    subject: "Your order",
    text: "It is on its way.",
    relatedObjects: [{ type: "order", id: 1042 }],
  });
  assert.equal(mail.state, "delivered", mail.error);
  assert.equal(mail.channel, "email");
  assert.equal(mail.subject, "Your order");
  const about = { relatedObjects: [{ type: "order", id: 1042 }] };
  const found = await Array.fromAsync(email.list(about));
  assert.deepEqual(
    found.map(({ id }) => id),
    [mail.id],
  );
  // Each channel has its own.
  assert.equal(await carillon.sms.find(mail.id), undefined);
  assert.deepEqual(await Array.fromAsync(carillon.sms.list(about)), []);
});

test("a template is kept, previewed, sent once about an object, and survives in what it made", async () => {
  await using folder = await createFolder();
  await using carillon = await open({
    data: folder.path,
    providers: { none: new NullProvider() },
    templateHooks: {
      updateContext: (context) => ({ ...context, shop: "Acme" }),
    },
  });
  const { sms, templates } = carillon;
  await templates.put("sms", "shipped", {
    body: "{{ shop }}: order {{ order.id }} is on its way",
    allowsDuplicates: false,
  });
  const order = { type: "order", id: 1042 };
  const context = { order };
  const text = "Acme: order 1042 is on its way";
  const preview = await templates.preview("sms", "shipped", context);
  assert.deepEqual([preview.text, preview.sms?.segments], [text, 1]);

  const request = {
    to: phone,
    slug: "shipped",
    context,
    relatedObjects: [order],
  };
  assert.equal(await sms.wasSent("shipped", order), false);
  const sent = await sms.sendTemplate(request);
  assert.deepEqual([sent?.text, sent?.templateSlug], [text, "shipped"]);
  assert.equal(await sms.sendTemplate(request), undefined);
  assert.equal(await sms.wasSent("shipped", order), true);
  assert.deepEqual(await templates.canSend("sms", "shipped", [order]), [
    "duplicate",
  ]);
  const customer = { type: "customer", id: "7" };
  await templates.disallow("sms", undefined, [customer]);
  const other = { ...request, relatedObjects: [customer] };
  assert.equal(await sms.sendTemplate(other), undefined);
  assert.equal(await templates.allow("sms", undefined, [customer]), 1);

  assert.deepEqual(
    (await Array.fromAsync(templates.list())).map(({ slug }) => slug),
    ["shipped"],
  );
  await templates.remove("sms", "shipped");
  assert.equal(await templates.find("sms", "shipped"), undefined);
  await assert.rejects(sms.sendTemplate(request), {
    code: "TEMPLATE_NOT_FOUND",
  });
  const bySlug = await sms.page({ templateSlug: "shipped" });
  assert.deepEqual(
    bySlug.messages.map(({ id }) => id),
    [sent?.id],
  );
  const wrong = templates.put("sms", "wrong", { body: "{% if x %}" });
  await assert.rejects(wrong, { code: "TEMPLATE_INVALID", message: /line 1/ });
});
