import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Channel,
  type EmailSuppression,
  type ProjectId,
  type SuppressionKey,
  toEpochMs,
} from "@carillon/core";
import { message, recipient } from "../fixtures.test.ts";
import { emailProtocol } from "./protocol.ts";
import {
  createSuppressingChannel,
  suppressionKeyOf,
} from "./suppressing-channel.ts";

const { projectId } = message();

/** A channel that takes everything, behind a list of these addresses. */
function setUp(listed: readonly string[], ownProject: ProjectId = projectId) {
  const questions: (readonly SuppressionKey[])[] = [];
  const delivered: string[] = [];
  const inner: Channel = {
    name: "email",
    protocols: [emailProtocol],
    kind: "push",
    timeoutMs: 1000,
    prepare: () => ({
      async deliver({ endpoint }) {
        delivered.push(endpoint);
        return { outcome: "delivered" };
      },
    }),
    close: async () => {},
  };
  const list = listed.map(
    (address): EmailSuppression => ({
      projectId: ownProject,
      key: suppressionKeyOf(address),
      address,
      reason: "bounced",
      detail: "bounced (hard): no such user",
      at: toEpochMs(0),
      count: 1,
    }),
  );
  const find = async (keys: readonly SuppressionKey[]) => {
    questions.push(keys);
    return list.filter((one) =>
      keys.some((it) => it.projectId === one.projectId && it.key === one.key),
    );
  };
  return {
    channel: createSuppressingChannel(inner, find),
    questions,
    delivered,
  };
}

async function attempt(channel: Channel, addresses: readonly string[]) {
  const prepared = await channel.prepare(message());
  return await Promise.all(
    addresses.map((it) => prepared.deliver(recipient("email", it))),
  );
}

test("leaves out who is on the list, and says why", async () => {
  const { channel, delivered } = setUp(["Ann@example.com"]);
  const addresses = ["ann@EXAMPLE.com", "bob@example.com"];
  const [ann, bob] = await attempt(channel, addresses);
  assert.deepEqual(ann, {
    outcome: "suppressed",
    errorClass: "guard",
    error:
      "The address is on the suppression list: a mail to it came back (bounced (hard): no such user).",
  });
  assert.deepEqual(bob, { outcome: "delivered" });
  assert.deepEqual(delivered, ["bob@example.com"]);
});

test("asks once for all that are attempted at once", async () => {
  const { channel, questions } = setUp(["ann7@example.com"]);
  const addresses = Array.from(
    { length: 120 },
    (_, n) => `ann${n}@example.com`,
  );
  const results = await attempt(channel, addresses);
  assert.equal(questions.length, 1);
  assert.equal(questions[0]?.length, 120);
  const left = results.flatMap(({ outcome }, n) =>
    outcome === "suppressed" ? [n] : [],
  );
  assert.deepEqual(left, [7]);
  await attempt(channel, addresses.slice(0, 1));
  assert.equal(questions.length, 2);
});

test("asks in pieces where very many are attempted", async () => {
  const { channel, questions } = setUp([]);
  const addresses = Array.from({ length: 1200 }, (_, n) => `a${n}@example.com`);
  await attempt(channel, addresses);
  assert.deepEqual(
    questions.map(({ length }) => length),
    [500, 500, 200],
  );
});

test("another project's list says nothing", async () => {
  const other = "f".repeat(32) as ProjectId;
  const { channel } = setUp(["ann@example.com"], other);
  const [ann] = await attempt(channel, ["ann@example.com"]);
  assert.equal(ann?.outcome, "delivered");
});

test("a list that cannot be read puts the mails off", async () => {
  const { channel, delivered } = setUp([]);
  const failing = createSuppressingChannel(channel, async () => {
    throw new Error("The store is away.");
  });
  const results = await attempt(failing, ["a@example.com", "b@example.com"]);
  for (const { outcome } of results) assert.equal(outcome, "deferred");
  assert.deepEqual(delivered, []);
});

test("addresses of one mailbox are one entry", () => {
  for (const [address, key] of [
    ["Ann@Example.COM", "ann@example.com"],
    ["ann@bücher.example", "ann@xn--bcher-kva.example"],
    ["ANN@BÜCHER.example", "ann@xn--bcher-kva.example"],
  ] as const) {
    assert.equal(suppressionKeyOf(address), key);
  }
});
