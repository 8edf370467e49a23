import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Gateway,
  LoopbackProvider,
  OptOut,
  OutgoingMessage,
  ProviderError,
  SuppressedError,
} from "@carillon/gateway";
import { MemoryStore } from "@carillon/testing";
import { testOptOutStoreContract } from "@carillon/testing/opt-out-contract";
import { createOptOutStore } from "./opt-out-store.ts";

function gatewayOn(store: MemoryStore) {
  const gateway = new Gateway({
    optOut: new OptOut({ store: createOptOutStore(store) }),
  });
  const phones = gateway.addProvider("phones", new LoopbackProvider());
  const send = () => gateway.send(new OutgoingMessage("+491511", "News"));
  return { phones, send };
}

test("STOP outlives the gateway, until START", async () => {
  const store = new MemoryStore();
  await gatewayOn(store).phones.received("491511", "Stop!");
  const { phones, send } = gatewayOn(store);
  await assert.rejects(
    send(),
    (error) =>
      error instanceof SuppressedError &&
      error.keyword === "STOP" &&
      error.scope === "global",
  );
  await phones.received("491511", "START");
  assert.equal((await send()).provider, "phones");
  assert.deepEqual(await store.findOptOuts("491511"), []);
});

test("what cannot be looked up is not sent, but can be later", async () => {
  const store = Object.assign(new MemoryStore(), {
    findOptOuts: async () => {
      throw new Error("The disk is gone");
    },
  });
  await assert.rejects(
    gatewayOn(store).send(),
    (error) =>
      error instanceof ProviderError &&
      error.retryable &&
      !error.outcomeUnknown,
  );
});

testOptOutStoreContract("the server's store", async () =>
  createOptOutStore(new MemoryStore()),
);
