import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type MessageContent,
  type MessageId,
  type NewMessage,
  type ProjectId,
  silentLogger,
  systemClock,
  type TopicId,
  toEpochMs,
} from "@carillon/core";
import {
  answeringLate,
  type FailurePlan,
  failing,
  MemoryStore,
} from "@carillon/testing";
import { createContentSeal } from "./content-seal.ts";
import { keysSetting, maxKeysPerProject, openKeys } from "./keys.ts";

const projectId = "1".repeat(32) as ProjectId;
const key = new Uint8Array(32).fill(5);
const clock = systemClock;
const logger = silentLogger;

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
  const keys = await openKeys({ store, key, clock, logger });
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
  const message: NewMessage = {
    ...messageOf(structure),
    subject: "größer",
    attributes: [{ name: "kind", type: "STRING", value: "geheim" }],
    sms: { sender: "ACME", params: { campaign: "geheim" } },
  };
  const sealed = await seal.seal(message);
  assert.ok(sealed.content.kind === "text");
  assert.deepEqual([sealed.subject, sealed.attributes], [undefined, undefined]);
  assert.ok(!JSON.stringify(sealed).includes("campaign"));
  assert.deepEqual(seal.open(sealed), message);

  const reopened = await openKeys({ store, key, clock, logger });
  const anew = createContentSeal({ store, keys: reopened });
  assert.deepEqual(anew.open(sealed), message);
  assert.deepEqual(anew.open(message), message);
});

test("a message to several topics is sealed by the first that has a key", async () => {
  const { seal, messageOf } = await setUp();
  const { topic, ...message } = messageOf(structure);
  assert.ok(topic);
  const plain = { ...topic, seq: topic.seq + 1 };
  const several = (topics: readonly (typeof topic)[]) =>
    ({ ...message, audience: "topics", topics }) as const;
  const sealed = await seal.seal(several([plain, topic]));
  assert.ok(sealed.sealedBy);
  assert.deepEqual(seal.open(sealed), {
    ...several([plain, topic]),
  });
  const kept = await seal.seal(several([plain, plain]));
  assert.equal(kept.sealedBy, undefined);
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
  await assert.rejects(async () =>
    seal.open({ ...sealed, sealedBy: "unknown" }),
  );
});

test("keys of the same id in two projects are two keys", async () => {
  const { store, keys } = await setUp();
  const other = "8".repeat(32) as ProjectId;
  await keys.create(projectId, { name: "a", id: "same" });
  await keys.create(other, { name: "b", id: "same" });
  const reopened = await openKeys({ store, key, clock, logger });
  for (const each of [keys, reopened]) {
    const [one, two] = [projectId, other].map((id) =>
      each.materialOf(id, "same"),
    );
    assert.ok(one && two);
    assert.notDeepEqual(one, two);
  }
  await keys.setStatus(other, "same", "DISABLED");
  assert.equal(keys.find(projectId, "same")?.status, "ENABLED");
});

test("a project has so many keys and no more", async () => {
  const { keys } = await setUp();
  for (let n = 1; n < maxKeysPerProject; n++) {
    await keys.create(projectId, { name: `key-${n}` });
  }
  await assert.rejects(keys.create(projectId, { name: "one more" }), {
    code: "KEY_INVALID",
  });
  await assert.rejects(keys.create(projectId, { name: "one-more" }), {
    code: "KEY_QUOTA_EXCEEDED",
  });
  await keys.create("8".repeat(32) as ProjectId, { name: "one-more" });
});

test("the store shows no key without the key file", async () => {
  const { store, keys } = await setUp();
  const [only] = keys.list(projectId);
  const material = keys.materialOf(projectId, only?.id ?? "");
  assert.equal(material?.length, 32);
  const kept = (await store.findSetting(keysSetting))?.value ?? "";
  assert.ok(!kept.includes(Buffer.from(material ?? []).toString("base64")));
  const other = await openKeys({
    store,
    key: new Uint8Array(32).fill(6),
    clock,
    logger,
  });
  assert.throws(() => other.materialOf(projectId, only?.id ?? ""));
});

test("keeps all of many keys made at once", async () => {
  const { store, keys } = await setUp();
  const names = Array.from({ length: 20 }, (_, n) => `key-${n}`);
  await Promise.all(names.map((name) => keys.create(projectId, { name })));
  const reopened = await openKeys({ store, key, clock, logger });
  assert.deepEqual(
    reopened.list(projectId).map(({ name }) => name),
    ["k", ...names],
  );
});

test("a project's keys are deleted for good, and no others", async () => {
  const { store, keys } = await setUp();
  const [deleted] = keys.list(projectId);
  const id = deleted?.id ?? "";
  const material = keys.materialOf(projectId, id);
  const other = "8".repeat(32) as ProjectId;
  await keys.create(other, { name: "k" });
  await keys.deleteProject(projectId);
  await keys.deleteProject("9".repeat(32) as ProjectId);
  assert.equal(keys.materialOf(projectId, id), undefined);
  const reopened = await openKeys({ store, key, clock, logger });
  assert.deepEqual(reopened.list(projectId), []);
  assert.equal(reopened.list(other).length, 1);
  // A key of the same id is another one.
  await keys.create(projectId, { name: "k", id });
  assert.notDeepEqual(keys.materialOf(projectId, id), material);
});

test("no key is left in a project that is deleted meanwhile", async () => {
  const results = new Set<string>();
  for (let turns = 0; turns < 12; turns++) {
    const store = answeringLate(new MemoryStore());
    const keys = await openKeys({ store, key, clock, logger });
    const early = keys.create(projectId, { name: "early" }).then(
      () => "created",
      ({ code }) => String(code),
    );
    for (let i = 0; i < turns; i++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const deleted = store
      .deleteProject(projectId, toEpochMs(0))
      .then(() => keys.deleteProject(projectId));
    const late = keys.create(projectId, { name: "late" });
    await assert.rejects(late, { code: "PROJECT_DELETED" });
    await deleted;
    results.add(await early);
    assert.deepEqual(keys.list(projectId), []);
    const reopened = await openKeys({ store, key, clock, logger });
    assert.deepEqual(reopened.list(projectId), []);
  }
  assert.deepEqual([...results].sort(), ["PROJECT_DELETED", "created"]);
});

test("no process undoes what another did to the keys", async () => {
  const store = new MemoryStore();
  const processes = await Promise.all(
    Array.from({ length: 4 }, () => openKeys({ store, key, clock, logger })),
  );
  const made = await Promise.all(
    processes.map((keys, n) => keys.create(projectId, { name: `k${n}` })),
  );
  const [one, two] = processes;
  const [first] = made;
  assert.ok(one && two && first);
  // The second has not seen the other keys, nor the first one's status.
  await one.setStatus(projectId, first.id, "DISABLED");
  await two.create(projectId, { name: "late" });
  const reopened = await openKeys({ store, key, clock, logger });
  assert.deepEqual(
    reopened
      .list(projectId)
      .map(({ name }) => name)
      .sort(),
    ["k0", "k1", "k2", "k3", "late"],
  );
  assert.equal(reopened.find(projectId, first.id)?.status, "DISABLED");
  const twice = two.create(projectId, { name: "k0" });
  await assert.rejects(twice, { code: "KEY_EXISTS" });
});

test("keys of a deleted project are gone at once, and from the disk when it can be written", async () => {
  for (const mend of ["the next change", "the next start"] as const) {
    const plan: FailurePlan = {};
    const store = failing(new MemoryStore(), plan);
    const events: string[] = [];
    const noting = { ...logger, error: (event: string) => events.push(event) };
    const keys = await openKeys({ store, key, clock, logger: noting });
    const { id } = await keys.create(projectId, { name: "k" });
    assert.ok(keys.materialOf(projectId, id));
    await store.deleteProject(projectId, toEpochMs(0));
    plan.putSetting = { error: new Error("no room") };
    await keys.deleteProject(projectId);
    assert.deepEqual(events, ["keys_not_deleted"]);
    assert.equal(keys.materialOf(projectId, id), undefined);
    delete plan.putSetting;
    const other = "8".repeat(32) as ProjectId;
    if (mend === "the next change") await keys.create(other, { name: "k" });
    else await openKeys({ store, key, clock, logger });
    const kept = (await store.findSetting(keysSetting))?.value ?? "";
    assert.ok(!kept.includes(projectId), mend);
  }
});
