import assert from "node:assert/strict";
import { test } from "node:test";
import { message, recipient } from "../fixtures.test.ts";
import { createDebugEmailChannel } from "./debug-channel.ts";

test("each mail ends in debug, and nothing is sent", async () => {
  const channel = createDebugEmailChannel();
  const prepared = await channel.prepare(message());
  assert.deepEqual(await prepared.deliver(recipient("email", "a@b.example")), {
    outcome: "simulated",
    provider: "debug",
  });
  await channel.close();
});
