import assert from "node:assert/strict";
import type {
  ActionOrder,
  ActionRules,
  ClaimedJob,
  DeliveryFilter,
  DeliveryState,
  JobStep,
  NewDeliveryJob,
  Store,
} from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  claimOne,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  freshId,
  leaseOf,
  messageTo,
  nextDueAt,
  otherProjectId,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";
import {
  lease,
  publishTo,
  seqsOf,
  subscribeMailbox,
} from "./mailbox-fixtures.ts";

const rules: ActionRules = {
  lives: { sms: 4 * 3600, https: 72 * 3600, queue: 3600 },
  pullProtocols: ["queue"],
};

export const ada = { userId: "u1", userName: "ada" };
const ben = { userId: "u2", userName: "ben" };

export function testDeliveryActions({ test }: Cases): void {
  test("resends what failed, and says who and why", async (store, clock) => {
    const key = await direct(store, clock, "failed");
    const by = { ...ada, reason: "the carrier is back" };
    assert.deepEqual(await store.actOnDelivery(key, order("resend"), by), {
      state: "retrying",
    });
    assert.equal(await nextDueAt(store, clock), after(1000));
    const delivery = await store.findDelivery(key.messageSeq, key.target);
    assert.deepEqual(delivery?.actions, [
      {
        at: after(1000),
        action: "resend",
        from: "failed",
        to: "retrying",
        ...by,
      },
    ]);
    const [claim] = await claimDue(store, clock, leaseOf("b"), after(1000), 1);
    assert.equal(claim?.attempts, 1);
    assert.equal(claim?.resentAfter, 1);
  });

  test("of two who settle one delivery the first one decides", async (store, clock) => {
    const key = await direct(store, clock, "unknown");
    const [one, other] = await Promise.all([
      store.actOnDelivery(key, order("settle_delivered"), ada),
      store.actOnDelivery(key, order("settle_failed"), ben),
    ]);
    assert.deepEqual(one, { state: "delivered" });
    assert.equal(other?.refused, "state");
    assert.equal(other?.state, "delivered");
    assert.equal(other?.refused && other.lastAction?.userName, "ada");
    const { actions } = (await store.findDelivery(key.messageSeq, 0)) ?? {};
    assert.equal(actions?.length, 1);
  });

  test("counts states anew with each action", async (store, clock) => {
    const { message, ...key } = await direct(store, clock, "unknown");
    await store.actOnDelivery(key, order("settle_resend"), ada);
    assert.deepEqual(await countsOf(store, message), { retrying: 1 });
    await claimDue(store, clock, leaseOf("b"), after(1000), 1);
    const taken = await store.actOnDelivery(key, order("cancel"), ada);
    assert.equal(taken?.refused, "state");
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
  });

  test("a cancelled delivery is not due, and a lost claim cannot report on it", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock, { leaseMs: 1000 });
    clock.advance(2000);
    await store.reclaim();
    const key = { messageSeq: claim.messageSeq, target: 0 };
    // Freed: its attempt is due, and nobody makes it yet.
    await claimDue(store, clock, leaseOf("b", 1000), after(2000), 1);
    await recordOutcomes(store, [
      {
        ...key,
        state: "retrying",
        attempts: 1,
        nextAttemptAt: after(9000),
        fence: claim.fence + 2,
      },
    ]);
    assert.deepEqual(
      await store.actOnDelivery(key, order("cancel", 3000), ada),
      { state: "cancelled" },
    );
    await recordOutcomes(store, [
      { ...key, state: "delivered", attempts: 2, fence: claim.fence + 2 },
    ]);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("a receipt that comes before the resend stops it; that it arrived ends one after it", async (store, clock) => {
    const first = await direct(store, clock, "unknown", { externalId: "x1" });
    await store.recordReceipt(receipt("x1", "deliver"));
    const refused = await store.actOnDelivery(first, order("resend"), ada);
    assert.equal(refused?.refused, "state");

    const second = await direct(store, clock, "failed", { externalId: "x2" });
    await store.actOnDelivery(second, order("resend"), ada);
    // Of the attempt before: the one that is due goes on.
    await store.recordReceipt(receipt("x2", "fail"));
    assert.deepEqual(await countsOf(store, second.message), { retrying: 1 });

    const third = await direct(store, clock, "failed", { externalId: "x3" });
    await store.actOnDelivery(third, order("resend"), ada);
    await store.recordReceipt(receipt("x3", "deliver"));
    assert.deepEqual(await countsOf(store, third.message), { delivered: 1 });
    await store.actOnDelivery(second, order("cancel", 500), ada);
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("after the end of its life only a new one allows a resend", async (store, clock) => {
    const key = await direct(store, clock, "failed");
    const late = 5 * 3_600_000;
    const refused = await store.actOnDelivery(key, order("resend", late), ada);
    assert.equal(refused?.refused, "expired");
    const renewed = { ...order("resend", late), timeToLiveSeconds: 60 };
    await store.actOnDelivery(key, renewed, ada);
    const [claim] = await claimDue(store, clock, leaseOf("b"), after(late), 1);
    assert.equal(claim?.expiresAt, after(late + 60_000));
    const delivery = await store.findDelivery(key.messageSeq, 0);
    assert.equal(delivery?.expiresAt, after(late + 60_000));
  });

  test("what a subscriber is to fetch is in its mailbox again", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 1 });
    const { mailbox, protocol } = it;
    const { seq: messageSeq } = await publishTo(store, topic, [it], {
      lifeMs: 500,
      orderingKey: "k",
    });
    const key = { messageSeq, target: it.seq };
    const pullProtocols = [protocol];
    const resend = { ...order("resend"), pullProtocols };
    assert.equal(await store.expireMessages(after(600), 9), 1);
    assert.deepEqual(await store.actOnDelivery(key, resend, ada), {
      state: "waiting",
    });
    const found = await store.findDelivery(messageSeq, it.seq);
    assert.equal(found?.expiresAt, after(3_600_000));
    // Another of its key that no mailbox took, and that is resent.
    const next = await publishTo(store, topic, [it], { orderingKey: "k" });
    assert.equal(next.report.unqueued?.length, 1);
    const other = { messageSeq: next.seq, target: it.seq };
    await store.updateMailbox(projectId, it.endpoint, { quota: 2 });
    assert.deepEqual(await store.actOnDelivery(other, resend, ada), {
      state: "waiting",
    });
    const { id } = next.message;
    const report = await store.findMessage(projectId, id);
    assert.equal(report?.unqueued, undefined);
    const { waiting } = await store.countMailboxMessages(mailbox);
    assert.equal(waiting, 2);
    for (const seq of [messageSeq, next.seq]) {
      const leases = await lease(store, mailbox, { atMs: 1001 });
      assert.deepEqual(seqsOf(leases), [seq]);
      assert.equal(leases[0]?.deliveryCount, 1);
      await store.ackLeases(mailbox, leases, after(1002));
    }
    assert.equal(await store.expireMessages(after(3_600_000), 9), 0);
  });

  test("resends no more into a mailbox than its quota has room for", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 3 });
    const resend = { ...order("resend"), pullProtocols: [it.protocol] };
    const full = [];
    for (let n = 0; n < 9; n++) {
      const { seq, report } = await publishTo(store, topic, [it]);
      if (report.unqueued) full.push({ messageSeq: seq, target: it.seq });
    }
    assert.equal(full.length, 6);
    const leases = await lease(store, it.mailbox);
    await store.ackLeases(it.mailbox, leases.slice(1), start);
    const results = await Promise.all(
      full.map((key) => store.actOnDelivery(key, resend, ada)),
    );
    const refused = {
      state: "failed",
      refused: "not_queued",
      mailbox: { quota: 3, depth: 3 },
    };
    const states = results.map((result) => result?.state);
    const resent = results.filter((result) => result?.state === "waiting");
    assert.equal(resent.length, 2, states.join());
    for (const result of results) {
      if (result?.refused) assert.deepEqual(result, refused);
    }
    // Of many those that do not fit are skipped.
    await store.ackLeases(it.mailbox, leases, start);
    const job = await queue(store, { states: ["failed"] });
    const claim = await store.claimJob(leaseOf("c"), after(1000));
    assert.equal(claim?.job.id, job.id);
    const limits = { maxMessages: 100, maxDeliveries: 100 };
    const { pullProtocols } = resend;
    const ended = await store.advanceJob(claim, {
      ...step(limits),
      pullProtocols,
    });
    assert.deepEqual(
      [ended?.state, ended?.changed, ended?.skipped],
      ["done", 1, { not_queued: 3 }],
    );
    const found = await store.findMailbox(projectId, it.endpoint);
    assert.equal(found?.depth, 3);

    const off = { disabled: true, quota: 9 };
    await store.updateMailbox(projectId, it.endpoint, off);
    const { seq } = await publishTo(store, topic, [it]);
    const late = { messageSeq: seq, target: it.seq };
    assert.deepEqual(await store.actOnDelivery(late, resend, ada), {
      ...refused,
      mailbox: { quota: 9, depth: 3, disabled: true },
    });
  });

  test("resends into a full mailbox in place of what is past its life there", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 1 });
    const resend = { ...order("resend"), pullProtocols: [it.protocol] };
    const { message: overdue } = await publishTo(store, topic, [it], {
      lifeMs: 1000,
    });
    const { seq } = await publishTo(store, topic, [it]);
    const key = { messageSeq: seq, target: it.seq };
    const early = { ...resend, now: after(999) };
    const refused = await store.actOnDelivery(key, early, ada);
    assert.equal(refused?.refused, "not_queued");
    assert.deepEqual(await store.actOnDelivery(key, resend, ada), {
      state: "waiting",
    });
    assert.deepEqual(await countsOf(store, overdue), { expired: 1 });
  });

  test("resends to nobody whose topic is gone", async (store) => {
    const { topic, messageSeq, targets } = await audience(store, ["failed"]);
    await store.deleteTopic(topic.projectId, topic.name, after(10));
    const key = { messageSeq, target: targets[0] ?? 0 };
    const result = await store.actOnDelivery(key, order("resend"), ada);
    assert.equal(result?.refused, "unwanted");
    const job = await queue(store, { states: ["failed"] });
    const ended = await workOff(store, job.id);
    assert.deepEqual(ended?.skipped, { unwanted: 1 });
  });

  test("knows no delivery that is not there", async (store) => {
    const key = { messageSeq: 7, target: 1 };
    assert.equal(
      await store.actOnDelivery(key, order("cancel"), ada),
      undefined,
    );
  });

  test("counts what matches a filter, in steps of any size", async (store, clock) => {
    const { topic, messageSeq } = await audience(store, [
      "failed",
      "delivered",
      "failed",
      "rejected",
    ]);
    await direct(store, clock, "failed");
    const cases: [Partial<DeliveryFilter>, number][] = [
      [{}, 4],
      [{ states: ["rejected"] }, 1],
      [{ topicSeq: topic.seq }, 3],
      [{ messageSeq }, 3],
      [{ protocol: "sms" }, 1],
      [{ endpoint: phones(1)[0]?.endpoint ?? "" }, 1],
      [{ errorClass: "timeout" }, 3],
      [{ errorClass: "smtp" }, 0],
      [{ provider: "loopback" }, 1],
      [{ since: after(1) }, 0],
      [{ since: start }, 4],
      [{ until: start }, 0],
      [{ until: after(1) }, 4],
    ];
    for (const [part, expected] of cases) {
      const filter = { states: ["failed", "rejected"] as const, ...part };
      for (const limits of [
        { maxMessages: 100, maxDeliveries: 100 },
        { maxMessages: 1, maxDeliveries: 1 },
        { maxMessages: 2, maxDeliveries: 2 },
      ]) {
        assert.equal(
          await countAll(store, filter, limits),
          expected,
          JSON.stringify([part, limits]),
        );
      }
      const elsewhere = await store.countDeliveries(
        otherProjectId,
        filter,
        undefined,
        { maxMessages: 100, maxDeliveries: 100 },
      );
      assert.equal(elsewhere.count, 0);
    }
  });

  test("a job changes what matched when it was made, each once", async (store, clock) => {
    const states = Array<DeliveryState>(7).fill("failed");
    const { messageSeq } = await audience(store, states);
    const job = await queue(store, { states: ["retrying", "failed"] });
    const later = await direct(store, clock, "failed");
    const claim = await store.claimJob(leaseOf("a"), after(1000));
    assert.ok(claim);
    const first = await store.advanceJob(claim, step({ maxDeliveries: 3 }));
    assert.equal(first?.changed, 3);
    // Those that were resent fail once more, and match again.
    const claims = await claimDue(store, clock, leaseOf("b"), after(1000), 10);
    await recordOutcomes(
      store,
      claims.map(({ recipient: { target }, fence }) => ({
        messageSeq,
        target,
        state: "failed",
        attempts: 2,
        fence,
      })),
    );
    // The engine is lost: another one goes on where it was.
    await store.releaseAllJobs();
    assert.equal(await store.advanceJob(claim, step()), undefined);
    const ended = await workOff(store, job.id);
    assert.deepEqual(
      [ended?.state, ended?.done, ended?.changed, ended?.skipped],
      ["done", 7, 7, {}],
    );
    for (const { actions } of await store.listDeliveries(messageSeq, {
      limit: 10,
    })) {
      assert.deepEqual(
        actions?.map(({ jobId, userName, reason }) => [
          jobId,
          userName,
          reason,
        ]),
        [[job.id, "ada", "carrier is back"]],
      );
    }
    const untouched = await store.findDelivery(later.messageSeq, 0);
    assert.equal(untouched?.state, "failed");
  });

  for (const action of ["resend", "settle_resend"] as const) {
    test(`of several jobs that ${action} the same ones, one does`, async (store, clock) => {
      const state = action === "resend" ? "rejected" : "unknown";
      const { messageSeq } = await audience(store, [state, state, state]);
      const filter = { messageSeq, states: [state] } as const;
      const jobs = [];
      for (const createdAt of [start, after(1), after(2)]) {
        const job = newJob({ action, filter, total: 3, createdAt });
        jobs.push(await store.createJob(job, 100));
      }
      const ended = [];
      for (const { id } of jobs) {
        ended.push(await workOff(store, id));
        const now = after(1000);
        const claims = await claimDue(store, clock, leaseOf("b"), now, 10);
        await recordOutcomes(
          store,
          claims.map(({ recipient: { target }, fence }) => ({
            messageSeq,
            target,
            state,
            attempts: 2,
            lastAttempt: { at: now, durationMs: 5 },
            fence,
          })),
        );
      }
      assert.deepEqual(
        ended.map((job) => [job?.done, job?.changed, job?.skipped]),
        [
          [3, 3, {}],
          [3, 0, { state: 3 }],
          [3, 0, { state: 3 }],
        ],
      );
      const shown = await store.listDeliveries(messageSeq, { limit: 10 });
      assert.deepEqual(
        shown.map(({ state, actions }) => [state, actions?.length]),
        [
          [state, 1],
          [state, 1],
          [state, 1],
        ],
      );
    });
  }

  test("a job skips what was attempted, or acted on, after it was made", async (store, clock) => {
    const attempted = await direct(store, clock, "failed");
    const acted = await direct(store, clock, "failed");
    const left = await direct(store, clock, "failed");
    const createdAt = after(-1);
    await store.actOnDelivery(acted, order("resend", 0), ada);
    await store.actOnDelivery(acted, order("cancel", 0), ada);
    const filter = { states: ["failed", "cancelled"] } as const;
    const early = await store.createJob(newJob({ filter, createdAt }), 100);
    const skipped = await workOff(store, early.id);
    assert.deepEqual(
      [skipped?.done, skipped?.changed, skipped?.skipped],
      [3, 0, { state: 3 }],
    );
    // Neither at the same instant nor before.
    const later = await store.createJob(newJob({ filter }), 100);
    assert.equal((await workOff(store, later.id))?.changed, 3);
    for (const { messageSeq } of [attempted, acted, left]) {
      const now = await store.findDelivery(messageSeq, 0);
      assert.equal(now?.state, "retrying");
    }
  });

  test("a cancellation takes what was attempted after it was made, too", async (store, clock) => {
    await direct(store, clock, "retrying");
    const job = newJob({
      action: "cancel",
      filter: { states: ["retrying"] },
      createdAt: after(-1),
    });
    const { id } = await store.createJob(job, 100);
    assert.equal((await workOff(store, id))?.changed, 1);
  });

  test("one engine at a time works off a job", async (store, clock) => {
    await audience(store, ["failed"]);
    const job = await queue(store);
    const a = await store.claimJob(leaseOf("a", 1000), start);
    assert.ok(a);
    assert.equal(await store.claimJob(leaseOf("b"), start), undefined);
    clock.advance(1001);
    const b = await store.claimJob(leaseOf("b"), after(1001));
    assert.equal(b?.job.id, job.id);
    assert.equal(await store.advanceJob(a, step()), undefined);
    await store.failJob(a, "too late", after(1001));
    await store.releaseJob(a);
    assert.equal((await store.advanceJob(b as ClaimedJob, step()))?.changed, 1);
  });

  test("a cancelled job stops, and its changes stay", async (store) => {
    await audience(store, ["failed", "failed"]);
    const job = await queue(store);
    const claim = await store.claimJob(leaseOf("a"), start);
    assert.ok(claim);
    await store.advanceJob(claim, step({ maxDeliveries: 1 }));
    assert.equal(await store.cancelJob(otherProjectId, job.id, start), false);
    assert.equal(await store.cancelJob(projectId, job.id, after(5)), true);
    assert.equal(await store.cancelJob(projectId, job.id, after(6)), false);
    assert.equal(await store.advanceJob(claim, step()), undefined);
    const ended = await store.findJob(projectId, job.id);
    assert.deepEqual(
      [ended?.state, ended?.changed, ended?.finishedAt],
      ["cancelled", 1, after(5)],
    );
    assert.equal(await store.claimJob(leaseOf("a"), start), undefined);
  });

  test("a job that cannot go on says why", async (store) => {
    const job = await queue(store);
    const claim = await store.claimJob(leaseOf("a"), start);
    assert.ok(claim);
    await store.failJob(claim, "the disk is upside down", after(5));
    const ended = await store.findJob(projectId, job.id);
    assert.equal(ended?.state, "failed");
    assert.equal(ended?.error, "the disk is upside down");
  });

  test("lists a project's jobs, newest first, and bounds how many are open", async (store) => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift((await queue(store)).id);
    const all = await store.listJobs(projectId, { limit: 10 });
    assert.deepEqual(
      all.map(({ id }) => id),
      ids,
    );
    const before = all[0]?.seq ?? 0;
    const rest = await store.listJobs(projectId, { limit: 1, before });
    assert.deepEqual(rest, [all[1]]);
    assert.deepEqual(await store.listJobs(otherProjectId, { limit: 9 }), []);
    assert.equal(await store.findJob(otherProjectId, ids[0] ?? ""), undefined);
    await assert.rejects(store.createJob(newJob(), 3), {
      code: "JOB_QUOTA_EXCEEDED",
    });
    await store.createJob(newJob({ projectId: otherProjectId }), 3);
  });
}

export function order(action: ActionOrder["action"], atMs = 1000): ActionOrder {
  return { action, now: after(atMs), ...rules };
}

function receipt(externalId: string, event: "deliver" | "fail") {
  return { entry: "loopback", externalId, event, at: after(2000) };
}

function step(limits: Partial<JobStep["limits"]> = {}): JobStep {
  return {
    lease: leaseOf("a"),
    now: after(1000),
    ...rules,
    limits: { maxMessages: 100, maxDeliveries: 100, ...limits },
  };
}

export function newJob(job: Partial<NewDeliveryJob> = {}): NewDeliveryJob {
  return {
    ...ada,
    id: freshId(),
    projectId,
    action: "resend",
    filter: { states: ["failed"] },
    shownFilter: {},
    reason: "carrier is back",
    total: 0,
    isTotalExact: true,
    createdAt: start,
    ...job,
  };
}

async function queue(store: Store, filter?: DeliveryFilter) {
  return await store.createJob(newJob({ ...(filter && { filter }) }), 100);
}

/** In the smallest steps there are. */
export async function workOff(store: Store, id: string) {
  const claim = await store.claimJob(leaseOf("c"), after(1000));
  assert.equal(claim?.job.id, id);
  const limits = { maxMessages: 1, maxDeliveries: 1 };
  for (;;) {
    const job = await store.advanceJob(claim, step(limits));
    if (job?.state !== "running") return job;
  }
}

async function countAll(
  store: Store,
  filter: DeliveryFilter,
  limits: JobStep["limits"],
): Promise<number> {
  let total = 0;
  let next: Parameters<Store["countDeliveries"]>[2];
  do {
    const part = await store.countDeliveries(projectId, filter, next, limits);
    total += part.count;
    ({ next } = part);
  } while (next);
  return total;
}

/** One text that came to be in this state. */
async function direct(
  store: Store,
  clock: ManualClock,
  state: DeliveryState,
  { externalId }: { externalId?: string } = {},
) {
  const message = directMessage({ expiresAt: after(4 * 3_600_000) });
  const { seq } = await store.acceptDirectMessage(message, phones(1, true));
  const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
  assert.equal(claim?.messageSeq, seq);
  await recordOutcomes(store, [
    {
      messageSeq: seq,
      target: 0,
      state,
      attempts: 1,
      lastAttempt: { at: start, durationMs: 5, provider: "loopback" },
      provider: "loopback",
      ...(externalId !== undefined && { parts: [{ externalId }] }),
      fence: claim?.fence ?? 0,
    },
  ]);
  return { message, messageSeq: seq, target: 0 };
}

/** A message whose deliveries came to be in these states. */
async function audience(store: Store, states: readonly DeliveryState[]) {
  const topic = await addTopic(store);
  const targets = (await addSubscriptions(store, topic, states.length)).map(
    ({ seq }) => seq,
  );
  const messageSeq = await fanOut(
    store,
    topic,
    (seq) =>
      states.map((state, n) =>
        delivered(seq, targets[n] ?? 0, {
          state,
          lastAttempt: { at: start, durationMs: 5, errorClass: "timeout" },
        }),
      ),
    messageTo(topic),
  );
  return { topic, messageSeq, targets };
}
