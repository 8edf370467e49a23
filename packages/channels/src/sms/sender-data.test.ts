/** What providers tell besides reaches the ledger with the attempt's result. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { silentLogger } from "@carillon/core";
import {
  AtsProvider,
  Gateway,
  type KnownState,
  type OutgoingMessage,
  Provider,
} from "@carillon/gateway";
import { startFakeAts } from "@carillon/testing/fake-carriers/ats";
import { message, recipient, tokens } from "../fixtures.test.ts";
import { createLinks } from "../links.ts";
import { createSmsChannel } from "./channel.ts";

const account = { username: "acme", password: "secret" };

async function deliver(t: TestContext, provider: Provider) {
  const gateway = new Gateway();
  gateway.addProvider("mine", provider);
  const channel = createSmsChannel({
    gateway,
    links: createLinks({
      publicUrl: () => "https://example.com",
      region: "local",
      tokens,
    }),
    logger: silentLogger,
  });
  t.after(() => channel.close());
  const prepared = await channel.prepare(message({ tag: "orders" }));
  return await prepared.deliver(recipient("sms", "+420777123456"));
}

for (const [code, outcome] of [
  [0, "accepted"],
  [24, "rejected"],
] as const) {
  test(`what ATS was told and said with ${code} is kept`, async (t) => {
    await using ats = await startFakeAts({ ...account, answer: () => code });
    const { baseUrl } = ats;
    const config = { ...account, keyword: "KW", from: "900", baseUrl };
    const result = await deliver(t, new AtsProvider(config));
    assert.equal(result.outcome, outcome);
    assert.deepEqual(result.senderData, {
      sender: "900",
      validity: 60,
      kw: "KW",
      sender_state: code,
    });
  });
}

class KnowingProvider extends Provider {
  seen: OutgoingMessage | undefined;
  readonly #state: KnownState;

  constructor(state: KnownState) {
    super();
    this.#state = state;
  }

  override get polling() {
    return { firstAfterMs: 1000, batchSize: 1 };
  }

  override async fetchStatuses() {
    return [];
  }

  override async send(outgoing: OutgoingMessage): Promise<OutgoingMessage> {
    this.seen = outgoing;
    outgoing.msgid = "7";
    outgoing.knownState = this.#state;
    return outgoing;
  }
}

for (const [state, outcome] of [
  ["sent", "accepted"],
  ["delivered", "delivered"],
] as const) {
  test(`no report is waited for of what is known to be ${state}`, async (t) => {
    const provider = new KnowingProvider(state);
    const result = await deliver(t, provider);
    assert.deepEqual(result, {
      outcome,
      parts: [{ externalId: "7" }],
      provider: "mine",
      segments: 1,
    });
    const { id } = message();
    assert.deepEqual(provider.seen?.record, {
      id: `${id}-7`,
      to: "+420777123456",
      priority: 3,
      tag: "orders",
      relatedObjects: [],
    });
  });
}
