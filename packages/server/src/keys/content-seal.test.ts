import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type MessageContent,
  type MessageId,
  type NewMessage,
  type ProjectId,
  systemClock,
  type TopicId,
  toEpochMs,
} from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { createContentSeal } from "./content-seal.ts";
import { keysSetting, openKeys } from "./keys.ts";

const projectId = "1".repeat(32) as ProjectId;
const key = new Uint8Array(32).fill(5);
const clock = systemClock;

async function setUp() {
  const store = new MemoryStore();
  const { topic } = await store.createTopic(
    {
      id: "2".repeat(32) as TopicId,
      projectId,
      name: "a",
      displayName: "",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt: toEpochMs(0),
      updatedAt: toEpochMs(0),
    },
    10,
  );
  const keys = await openKeys({ settings: store, key, clock });
  const { id: keyId } = await keys.create(projectId, { name: "k" });
  const binding = { id: "b", data: { keyId }, createdAt: toEpochMs(0) };
  await store.addBinding(topic.seq, "kms", binding);
  const seal = createContentSeal({ store, keys });
  const messageOf = (content: MessageContent, id = "3"): NewMessage => ({
    id: id.repeat(32) as MessageId,
    projectId,
    audience: "topic",
    topic: {
      seq: topic.seq,
      urn: "",
      name: "a",
      displayName: "",
      introduction: "",
    },
    content,
    createdAt: toEpochMs(0),
    expiresAt: toEpochMs(1),
  });
  return { store, keys, seal, messageOf };
}

const structure: MessageContent = {
  kind: "structure",
  variants: { default: "größer", sms: "" },
};

test("opens what it sealed, also after a restart", async () => {
  const { store, seal, messageOf } = await setUp();
  const message = messageOf(structure);
  const sealed = await seal.seal(message);
  assert.ok(sealed.content.kind === "text");
  assert.deepEqual(seal.open(sealed), message);

  const reopened = await openKeys({ settings: store, key, clock });
  const anew = createContentSeal({ store, keys: reopened });
  assert.deepEqual(anew.open(sealed), message);
  assert.deepEqual(anew.open(message), message);
});

test("does not open what was altered, or belongs to another message", async () => {
  const { seal, messageOf } = await setUp();
  const sealed = await seal.seal(messageOf(structure));
  assert.ok(sealed.content.kind === "text");
  const { text } = sealed.content;
  const moved = { ...sealed, id: "4".repeat(32) as MessageId };
  assert.throws(() => seal.open(moved));
  const bytes = Buffer.from(text, "base64");
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  const altered = { kind: "text", text: bytes.toString("base64") } as const;
  assert.throws(() => seal.open({ ...sealed, content: altered }));
  assert.throws(() => seal.open({ ...sealed, sealedBy: "unknown" }));
});

test("the store shows no key without the key file", async () => {
  const { store, keys } = await setUp();
  const [only] = keys.list(projectId);
  const material = keys.materialOf(projectId, only?.id ?? "");
  assert.equal(material?.length, 32);
  const kept = (await store.getSetting(keysSetting)) ?? "";
  assert.ok(!kept.includes(Buffer.from(material ?? []).toString("base64")));
  const other = await openKeys({
    settings: store,
    key: new Uint8Array(32).fill(6),
    clock,
  });
  assert.throws(() => other.materialOf(projectId, only?.id ?? ""));
});

test("keeps all of many keys made at once", async () => {
  const { store, keys } = await setUp();
  const names = Array.from({ length: 20 }, (_, n) => `key-${n}`);
  await Promise.all(names.map((name) => keys.create(projectId, { name })));
  const reopened = await openKeys({ settings: store, key, clock });
  assert.deepEqual(
    reopened.list(projectId).map(({ name }) => name),
    ["k", ...names],
  );
});
