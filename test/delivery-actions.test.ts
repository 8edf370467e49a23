/**
 * What operators do to deliveries, through the SDK and the command line, with a
 * server that is killed while it works off a job.
 */

import assert from "node:assert/strict";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, ResourceNotFoundError } from "@carillon/client";
import {
  addMs,
  type MessageId,
  type ProjectId,
  type SubscriptionId,
  subscriptionStatus,
  systemClock,
  type TopicId,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import { rowsOf, runCommand } from "./harness/command.ts";

const many = 20_000;
const message = "0198c2f4a1b27c3d8e4f5a6b7c8d9e0f";
const single = "0198c2f4a1b27c3d8e4f5a6b7c8d9e10";

let folder: string;
let data: string;
let server: CarillonProcess;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "carillon-actions-")));
  data = join(folder, "data");
  await seed();
  server = await CarillonProcess.start({ data });
});

after(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Texts whose attempts a crash interrupted: they come to be unknown. */
async function seed(): Promise<void> {
  await using store = await openSqliteStore({ folder: data });
  const createdAt = systemClock.now();
  const projectId = credentials.projectId as ProjectId;
  const { topic } = await store.createTopic(
    {
      id: "1".repeat(32) as TopicId,
      projectId,
      name: "disks",
      displayName: "",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt,
      updatedAt: createdAt,
    },
    1,
  );
  await store.addSubscription(
    {
      id: "2".repeat(32) as SubscriptionId,
      topicSeq: topic.seq,
      projectId,
      protocol: "https",
      endpoint: "https://example.com/hook",
      remark: "",
      extension: {},
      status: subscriptionStatus.confirmed,
      createdAt,
    },
    undefined,
    1,
  );
  for (const [id, count] of [
    [message, many],
    [single, 2],
  ] as const) {
    const phones = Array.from({ length: count }, (_, n) => ({
      protocol: "sms" as const,
      endpoint: `+1555${String(n).padStart(7, "0")}`,
      billable: true,
    }));
    await store.acceptDirectMessage(
      {
        id: id as MessageId,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "Your code is 4711." },
        createdAt,
        expiresAt: addMs(createdAt, 3_600_000),
      },
      phones,
    );
  }
  const lease = { owner: "dead", leaseMs: 60_000 };
  const { deliveries } = await store.claim(lease, {
    kinds: ["delivery"],
    limit: many + 2,
  });
  await store.recordIntents(
    deliveries.map(({ messageSeq, recipient: { target }, fence }) => ({
      messageSeq,
      target,
      fence,
      at: createdAt,
    })),
  );
}

function carillonOf(keys: { accessKey: string; secretKey: string }) {
  const options = { ...keys, projectId: credentials.projectId };
  return connect({ endpoint: server.url, ...options }).carillon;
}

test("of two who settle one delivery one is told who was first", async () => {
  const { deliveries } = carillonOf(credentials);
  const [first, second] = await Promise.allSettled([
    deliveries.settle(`${single}-0`, "delivered", { reason: "seen" }),
    deliveries.settle(`${single}-0`, "failed"),
  ]);
  const settled = [first, second].filter((it) => it.status === "fulfilled");
  assert.equal(settled.length, 1);
  const [refused] = [first, second].filter((it) => it.status === "rejected");
  assert.equal(refused?.reason.status, 409);
  assert.equal(refused?.reason.smnCode, "DELIVERY_STATE_CONFLICT");
  assert.match(
    refused?.reason.reason,
    /^A delivery that is (delivered|failed) cannot be settled; only unknown can\. .* was settle_\1 by admin at .* Nothing was changed\.$/,
  );
  const delivery = await deliveries.get(`${single}-0`);
  assert.equal(delivery.actions?.length, 1);
});

test("a job that a kill interrupts goes on, and does nothing twice", async () => {
  const filter = { messageId: message };
  const { deliveryJobs } = carillonOf(credentials);
  assert.deepEqual(
    await deliveryJobs.preview({ action: "settle_failed", filter }),
    { count: many, isExact: true, messages: 0 },
  );
  const { id } = await deliveryJobs.create({
    action: "settle_failed",
    filter,
    reason: "the carrier lost them",
  });
  let changed = 0;
  for await (const job of deliveryJobs.watch(id)) {
    ({ changed } = job);
    if (changed > 0) break;
  }
  await server.kill();
  assert.ok(changed > 0 && changed < many, String(changed));

  server = await CarillonProcess.start({ data });
  const { carillon } = { carillon: carillonOf(credentials) };
  let last: Awaited<ReturnType<typeof deliveryJobs.get>> | undefined;
  for await (const job of carillon.deliveryJobs.watch(id)) last = job;
  assert.deepEqual(
    [last?.state, last?.done, last?.changed, last?.skipped],
    ["done", many, many, {}],
  );
  const { counts } = await carillon.messages.get(message);
  assert.deepEqual(counts, { failed: many });
  let looked = 0;
  for await (const { actions } of carillon.messages.deliveries(message)) {
    looked++;
    assert.deepEqual(
      actions?.map(({ jobId, userName, reason }) => [jobId, userName, reason]),
      [[id, "admin", "the carrier lost them"]],
    );
  }
  assert.equal(looked, many);
});

test("another project sees neither deliveries nor jobs", async () => {
  const { projects, accessKeys, whoami } = carillonOf(credentials);
  const { id: projectId } = await projects.create({ name: "other" });
  const { userId } = await whoami();
  const keys = await accessKeys.create({ userId, projectId });
  const { carillon } = connect({
    endpoint: server.url,
    accessKey: keys.accessKey,
    secretKey: keys.secretKey,
    projectId,
  });
  await assert.rejects(
    carillon.deliveries.settle(`${single}-1`, "failed"),
    ResourceNotFoundError,
  );
  assert.deepEqual(await Array.fromAsync(carillon.deliveryJobs.list()), []);
  assert.deepEqual(
    await carillon.deliveryJobs.preview({
      action: "settle_failed",
      filter: {},
    }),
    { count: 0, isExact: true, messages: 0 },
  );
  const [job] = await Array.fromAsync(
    carillonOf(credentials).deliveryJobs.list(),
  );
  await assert.rejects(
    carillon.deliveryJobs.cancel(job?.id ?? ""),
    ResourceNotFoundError,
  );
});

test("the command line previews, asks why, acts and shows the history", async () => {
  const preview = await client(
    "resend",
    single,
    "--state",
    "unknown",
    "--dry-run",
  );
  assert.deepEqual(rowsOf(preview), [{ count: 1, isExact: true, messages: 0 }]);
  const unexplained = await client("settle", single, "delivered", "--yes");
  assert.equal(unexplained.code, 2);
  assert.equal(
    unexplained.stderr,
    "1 delivery would be changed: say why with --reason.\n",
  );
  const why = "the phone has it";
  const done = await client(
    "settle",
    single,
    "delivered",
    "--yes",
    "--reason",
    why,
  );
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(
    rowsOf(done).map(({ state, changed }) => [state, changed]),
    [["done", 1]],
  );
  const late = await client("cancel", `${single}-1`);
  assert.equal(late.code, 1);
  assert.match(
    late.stderr,
    /A delivery that is delivered cannot be cancelled; only waiting and retrying can/,
  );
  const shown = await client("show", single, "-o", "table");
  assert.match(
    shown.stdout,
    /settle_delivered by admin, unknown to delivered: the phone has it/,
  );
});

test("messages for later are cancelled, one or all of a topic, over a kill", async () => {
  const topicUrn = `urn:smn:local:${credentials.projectId}:disks`;
  const publish = async () =>
    (
      await carillonOf(credentials).messages.publish({
        audience: { kind: "topic", topicUrn },
        text: "The disk is full.",
        notBefore: new Date(Date.now() + 3_600_000),
      })
    ).id;
  const [one, other, third] = [
    await publish(),
    await publish(),
    await publish(),
  ];
  assert.ok(one && other && third);
  await carillonOf(credentials).messages.cancel(one, { reason: "a mistake" });
  await server.kill();
  server = await CarillonProcess.start({ data });
  const cancelledOf = async (id: string) =>
    (await carillonOf(credentials).messages.get(id)).cancelled;
  assert.equal((await cancelledOf(one))?.reason, "a mistake");
  assert.equal(await cancelledOf(other), undefined);

  const dry = await client(
    "cancel",
    "all",
    "--topic",
    "disks",
    "--dry-run",
    "-o",
    "table",
  );
  assert.equal(
    dry.stdout,
    "2 messages that are not fully fanned out would be changed.\n",
  );
  const done = await client(
    "cancel",
    "all",
    "--topic",
    "disks",
    "--yes",
    "--reason",
    "all wrong",
  );
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(
    rowsOf(done).map(({ state, messages }) => [state, messages]),
    [["done", 2]],
  );
  for (const id of [other, third]) {
    assert.equal((await cancelledOf(id))?.reason, "all wrong");
  }
  assert.equal((await cancelledOf(one))?.reason, "a mistake");
});

test("hostile filters are refused in one sentence", async () => {
  const { deliveryJobs } = carillonOf(credentials);
  const action = "resend" as const;
  for (const [filter, code] of [
    [{ states: ["delivered"] }, "DELIVERY_FILTER_INVALID"],
    [{ states: ["nosuch"] }, "REQUEST_INVALID"],
    [{ endpoint: "a\0b" }, "DELIVERY_FILTER_INVALID"],
    [{ endpoint: "x".repeat(5000) }, "REQUEST_INVALID"],
    [{ messageId: "nosuch" }, "MESSAGE_NOT_FOUND"],
    [{ topicUrn: "urn:smn:nosuch" }, "TOPIC_URN_INVALID"],
    [
      { since: new Date(2000), until: new Date(1000) },
      "DELIVERY_FILTER_INVALID",
    ],
  ] as const) {
    await assert.rejects(
      deliveryJobs.preview({ action, filter }),
      (error: { smnCode?: string }) => error.smnCode === code,
      JSON.stringify(filter),
    );
  }
});

async function client(...words: string[]) {
  return await runCommand(["deliveries", ...words, "--data", data]);
}
