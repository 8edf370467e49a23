import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  AttemptResult,
  Channel,
  Message,
  Recipient,
} from "@carillon/core";
import { emailProtocol } from "./email/protocol.ts";
import { createReplaceableChannel } from "./replaceable-channel.ts";

const options = {
  name: "email",
  protocols: [emailProtocol],
  kind: "push",
  timeoutMs: 1000,
} as const;
// Neither is looked at here.
const message = {} as Message;
const recipient: Recipient = {
  target: 1,
  protocol: "email",
  endpoint: "reader@example.com",
};

/** Answers when it is told to, and says when it was closed. */
function createChannel(name: string) {
  const answer = Promise.withResolvers<void>();
  const state = { prepared: 0, closed: 0 };
  const channel: Channel = {
    ...options,
    prepare() {
      state.prepared++;
      return {
        async deliver(): Promise<AttemptResult> {
          await answer.promise;
          return { outcome: "accepted", provider: name };
        },
      };
    },
    async close() {
      state.closed++;
    },
  };
  return { channel, state, answer: answer.resolve };
}

test("an attempt ends with the channel it began with, which is closed then", async () => {
  const first = createChannel("first");
  const second = createChannel("second");
  second.answer();
  const place = createReplaceableChannel(options);
  place.replace(first.channel);
  const prepared = await place.prepare(message);
  const attempt = prepared.deliver(recipient);
  place.replace(second.channel);
  assert.deepEqual(await prepared.deliver(recipient), {
    outcome: "accepted",
    provider: "second",
  });
  assert.equal(first.state.closed, 0);
  first.answer();
  assert.deepEqual(await attempt, { outcome: "accepted", provider: "first" });
  assert.equal(first.state.closed, 1);
  await prepared.deliver(recipient);
  assert.equal(second.state.prepared, 1);
  await place.close();
  assert.deepEqual([first.state.closed, second.state.closed], [1, 1]);
});

test("without a channel nothing is set up, and says so", async () => {
  const place = createReplaceableChannel(options);
  assert.equal(place.isSetUp(), false);
  const { channel, state } = createChannel("one");
  place.replace(channel);
  assert.equal(place.isSetUp(), true);
  const prepared = await place.prepare(message);
  place.replace(undefined);
  assert.equal(place.isSetUp(), false);
  assert.equal(state.closed, 1);
  assert.deepEqual(await prepared.deliver(recipient), {
    outcome: "rejected",
    errorClass: "no_channel",
    error: "No mail server is set up, so that no e-mail can be sent.",
  });
});

test("closing closes those with attempts under way, and what comes later", async () => {
  const first = createChannel("first");
  const second = createChannel("second");
  const late = createChannel("late");
  const place = createReplaceableChannel(options);
  place.replace(first.channel);
  const prepared = await place.prepare(message);
  const attempt = prepared.deliver(recipient);
  place.replace(second.channel);
  await place.close();
  place.replace(late.channel);
  assert.equal(place.isSetUp(), false);
  const closed = [first, second, late].map(({ state }) => state.closed);
  assert.deepEqual(closed, [1, 1, 1]);
  first.answer();
  await attempt;
});
