import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "../../gateway.ts";
import type { HttpRequest } from "../../http.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import type { CarrierPage } from "./page.ts";
import { HttpProvider } from "./provider.ts";

const page: CarrierPage = {
  title: "Acme",
  settings: { key: { expected: "the key" } },
  baseUrl: "https://sms.acme.example",
  send: {
    path: "/send",
    form: { key: "{settings.key}", to: "{to}", text: "{text}", ref: "{id}" },
  },
  answer: { format: "json", accepted: { ok: ["true"] } },
  callbacks: [
    {
      path: "/status",
      format: "form",
      cases: [{ status: { id: "id", state: "s", states: { D: "delivered" } } }],
      reply: { type: "application/json", body: '{{"seen":"{fields.id}"}}' },
    },
  ],
};

/** A provider of a page that is answered `{"ok":true}`. */
function openProvider(changes: Partial<CarrierPage> = {}) {
  const requests: HttpRequest[] = [];
  let ids = 0;
  const gateway = new Gateway({
    newId: () => `id-${ids++}`,
    http: {
      async request(request) {
        requests.push(request);
        const body = new TextEncoder().encode('{"ok":true}');
        return { status: 200, headers: {}, body };
      },
    },
  });
  const provider = new HttpProvider({
    page: { ...page, ...changes },
    settings: { key: "k" },
    callbackUrl: "https://us.example/acme",
  });
  gateway.addProvider("acme", provider);
  const send = (params: Readonly<Record<string, unknown>> = {}) =>
    gateway.send(
      new OutgoingMessage("491510000000", "Hi")
        .options({ statusReport: true })
        .params({ ...params }),
    );
  const form = () => Object.fromEntries(new URLSearchParams(requestBody()));
  const requestBody = () => String(requests.at(-1)?.body);
  return { gateway, provider, send, form };
}

test("a text has an id of the gateway's, which its receipts name", async () => {
  const { send, form } = openProvider();
  const { msgid, providerOptions } = await send();
  assert.match(String(msgid), /^id-\d+$/);
  assert.equal(form().ref, msgid);
  assert.equal(providerOptions.statusReport, true);
});

test("no receipt is expected where the carrier is told no id", async () => {
  const { key, to, text } = page.send.form ?? {};
  const send = { path: "/send", form: { key, to, text } } as typeof page.send;
  const sent = await openProvider({ send }).send();
  assert.equal(sent.providerOptions.statusReport, false);
});

test("raw parameters replace nothing that is fixed or refused", async () => {
  const send = { ...page.send, refusedParams: ["cc"], query: { v: "{to}" } };
  const { send: sendText, form } = openProvider({ send });
  await sendText({ CC: "1", KEY: "x", "ref[]": "1", V: "1", more: "2" });
  const { ref, ...others } = form();
  assert.deepEqual(others, {
    key: "k",
    to: "491510000000",
    text: "Hi",
    more: "2",
  });
  assert.match(String(ref), /^id-/);
});

test("a reply may hold braces, and fields of the call", async () => {
  const { gateway } = openProvider();
  const handle = gateway.handler({ prefix: "sms" });
  const response = await handle(
    new Request("https://us.example/sms/acme/status", {
      method: "POST",
      body: "id=7&s=D",
    }),
  );
  assert.equal(await response.text(), '{"seen":"7"}');
});
