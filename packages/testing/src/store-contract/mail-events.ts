import assert from "node:assert/strict";
import {
  type DeliveryId,
  type EmailSuppression,
  enoughMailEvents,
  type MailEventReport,
  mailEntry,
  mailPartId,
  type NewMessage,
  type Store,
  toDeliveryId,
} from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimDue,
  countsOf,
  directMessage,
  leaseOf,
  messageTo,
  otherProjectId,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

const never = { count: 0, windowMs: 1000 };
const address = "Ann@Example.com";
const key = "ann@example.com";

export function testMailEvents({ test }: Cases): void {
  test("moves what was sent by mail on to what is reported of it", async (store, clock) => {
    for (const [report, state] of [
      [{ event: "delivered" }, "delivered"],
      [{ event: "deferred" }, "sent"],
      [{ event: "bounced", hard: true }, "rejected"],
      [{ event: "bounced", hard: false }, "sent"],
      [{ event: "bounced" }, "sent"],
      [{ event: "rejected" }, "rejected"],
      [{ event: "complained" }, "sent"],
    ] as const) {
      const message = await send(store, clock);
      assert.equal((await record(store, message, report)).isNew, true);
      assert.deepEqual(await countsOf(store, message), { [state]: 1 });
    }
  });

  test("keeps a mail's events with what was said, and receipts of them", async (store, clock) => {
    const message = await send(store, clock);
    const delayed = {
      event: "deferred",
      at: after(5),
      recipient: "ann@elsewhere.example",
      code: "4.4.1",
      diagnostic: "smtp; 451 busy",
      raw: "Action: delayed\r\n",
    } as const;
    await record(store, message, delayed, { receivedAt: after(9) });
    await record(store, message, { event: "bounced", hard: true });
    const { seq, delivery } = await read(store, message);
    assert.deepEqual(await store.listMailEvents(seq, 0), [
      { ...delayed, receivedAt: after(9) },
      { event: "bounced", hard: true, at: start, receivedAt: start },
    ]);
    assert.deepEqual(await store.listMailEvents(seq, 1), []);
    assert.deepEqual(
      delivery?.receipts?.map(({ event, code, text, at }) => [
        event,
        code,
        text,
        at,
      ]),
      [
        ["accept", "4.4.1", "deferred: smtp; 451 busy", after(9)],
        ["reject", undefined, "bounced (hard)", start],
      ],
    );
  });

  test("joins a bounce that came before the outcome of its attempt", async (store, clock) => {
    const message = directMessage();
    await accept(store, message);
    await record(store, message, { event: "bounced", hard: true });
    await finish(store, clock, message);
    assert.deepEqual(await countsOf(store, message), { rejected: 1 });
  });

  test("keeps a repeated event once, and does nothing with it", async (store, clock) => {
    const message = await send(store, clock);
    const bounce = { event: "bounced", hard: true } as const;
    await record(store, message, bounce);
    assert.deepEqual(await record(store, message, bounce), { isNew: false });
    const { seq, delivery } = await read(store, message);
    assert.equal((await store.listMailEvents(seq, 0)).length, 1);
    assert.equal(delivery?.receipts?.length, 1);
    const [one] = await store.findEmailSuppressions([{ projectId, key }]);
    assert.equal(one?.count, 1);
  });

  test("suppresses nobody in a project that was deleted", async (store, clock) => {
    const message = await send(store, clock);
    await store.putProject({ id: projectId, name: "shop", domainId: "d1" });
    await store.deleteProject(projectId, start);
    const bounce = { event: "bounced", hard: true } as const;
    assert.deepEqual(await record(store, message, bounce), { isNew: true });
    assert.deepEqual(
      await store.listEmailSuppressions(projectId, { limit: 9 }),
      [],
    );
  });

  test("leaves a final state, whatever is reported later", async (store, clock) => {
    const message = await send(store, clock);
    await record(store, message, { event: "delivered" });
    await record(store, message, { event: "bounced", hard: true });
    await record(store, message, { event: "deferred" });
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const { seq } = await read(store, message);
    assert.equal((await store.listMailEvents(seq, 0)).length, 3);
  });

  test("keeps so many events of a mail, and what is of another kind", async (store, clock) => {
    const message = await send(store, clock);
    for (let n = 0; n < enoughMailEvents + 5; n++) {
      const { isNew } = await record(
        store,
        message,
        { event: "deferred" },
        { fingerprint: `${n}` },
      );
      assert.equal(isNew, n < enoughMailEvents);
    }
    await record(store, message, { event: "bounced", hard: true });
    assert.deepEqual(await countsOf(store, message), { rejected: 1 });
    const { seq } = await read(store, message);
    const kept = await store.listMailEvents(seq, 0);
    assert.equal(kept.length, enoughMailEvents + 1);
  });

  test("of a mail of which no reports were expected it keeps the events", async (store, clock) => {
    const message = directMessage();
    await accept(store, message);
    const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
    assert.ok(claim);
    await recordOutcomes(store, [
      {
        messageSeq: claim.messageSeq,
        target: 0,
        fence: claim.fence,
        state: "delivered",
        attempts: 1,
      },
    ]);
    await record(store, message, { event: "bounced", hard: true });
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const { seq } = await read(store, message);
    assert.equal((await store.listMailEvents(seq, 0)).length, 1);
    const found = await store.findEmailSuppressions([{ projectId, key }]);
    assert.equal(found.length, 1);
  });

  test("finds whom a mail was for", async (store) => {
    const message = directMessage();
    const seq = await accept(store, message);
    const topic = await addTopic(store);
    const other = await addSubscription(store, topic, {
      protocol: "email",
      endpoint: "bob@example.com",
    });
    const published = messageTo(topic);
    await store.acceptMessage(published, undefined);
    const found = await store.findMailTarget(published.id, other.seq);
    assert.equal(found?.endpoint, "bob@example.com");
    assert.equal(found.projectId, projectId);
    const expected = { messageSeq: seq, projectId, endpoint: address };
    assert.deepEqual(await store.findMailTarget(message.id, 0), expected);
    assert.equal(await store.findMailTarget(message.id, 1), undefined);
    // The number of a subscription means nothing to a direct message.
    const later = directMessage();
    await accept(store, later);
    assert.equal(await store.findMailTarget(later.id, other.seq), undefined);
    const text = directMessage();
    await store.acceptDirectMessage(text, phones(1));
    assert.equal(await store.findMailTarget(text.id, 0), undefined);
    assert.equal(await store.findMailTarget(directMessage().id, 0), undefined);
  });

  test("finds a mail by the id that its provider gave it", async (store, clock) => {
    const { id } = await send(store, clock);
    const { messageSeq = 0 } = (await store.findMailTarget(id, 0)) ?? {};
    assert.deepEqual(await store.findMailOfPart(mailPartId(id, 0)), {
      messageId: id,
      messageSeq,
      target: 0,
      projectId,
      endpoint: address,
      entry: mailEntry,
    });
    assert.equal(await store.findMailOfPart("another"), undefined);
    // A text with such an id is no mail.
    await store.acceptDirectMessage(directMessage(), phones(1));
    const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
    assert.ok(claim);
    const { messageSeq: seq, fence } = claim;
    await recordOutcomes(store, [
      {
        messageSeq: seq,
        target: 0,
        fence,
        state: "sent",
        attempts: 1,
        provider: "loopback",
        parts: [{ externalId: "text" }],
      },
    ]);
    assert.equal(await store.findMailOfPart("text"), undefined);
  });

  test("suppresses who bounced hard or complained, and nobody else", async (store, clock) => {
    for (const [report, reason] of [
      [{ event: "delivered" }, undefined],
      [{ event: "deferred" }, undefined],
      [{ event: "rejected" }, undefined],
      [{ event: "bounced", hard: false }, undefined],
      [{ event: "bounced", hard: true }, "bounced"],
      [{ event: "complained" }, "complained"],
    ] as const) {
      const message = await send(store, clock);
      const { suppressed } = await record(store, message, report);
      assert.equal(suppressed, reason);
      const [found] = await store.findEmailSuppressions([{ projectId, key }]);
      assert.equal(found?.reason, reason);
      if (!found) continue;
      assert.equal(found.address, address);
      assert.equal(found.deliveryId, toDeliveryId(message.id, 0));
      assert.equal(await store.removeEmailSuppression(projectId, key), true);
    }
    assert.equal(await store.removeEmailSuppression(projectId, key), false);
  });

  test("suppresses who bounced softly so often within the window", async (store, clock) => {
    const softBounces = { count: 3, windowMs: 1000 };
    const soft = { event: "bounced", hard: false } as const;
    const found: unknown[] = [];
    // The first is out of the window by the third.
    for (const ms of [0, 600, 1000, 1500]) {
      const message = await send(store, clock);
      const times = { receivedAt: after(ms), softBounces };
      const { suppressed } = await record(store, message, soft, times);
      found.push(suppressed);
    }
    assert.deepEqual(found, [undefined, undefined, undefined, "bounced"]);
  });

  test("counts the reasons of an address, and keeps the strongest, the last of several", async (store) => {
    const deliveryId = "0123456789abcdef0123456789abcdef-0" as DeliveryId;
    const reported = { address: "ANN@example.com", deliveryId };
    const bounced = { reason: "bounced", ...reported } as const;
    const complained = { reason: "complained", ...reported } as const;
    const manual = { detail: "asked by letter" } as const;
    for (const [added, expected] of [
      // What comes, in its order; what stands then.
      [[manual], manual],
      [[bounced, bounced], bounced],
      [[bounced, complained], complained],
      [[complained, bounced], complained],
      [[complained, manual], manual],
      [[manual, complained, bounced], manual],
      [[manual, { detail: "again" }], { detail: "again" }],
      [[complained, { ...complained, address }], { ...complained, address }],
    ] as const) {
      for (const last of [1, added.length]) {
        let found: EmailSuppression | undefined;
        for (const [n, one] of added.entries()) {
          const at = after(n === last - 1 ? 9 : 5);
          found = await store.addEmailSuppression(suppression({ ...one, at }));
        }
        const kept = suppression({ ...expected, at: after(9) });
        assert.deepEqual(found, { ...kept, count: added.length });
        assert.deepEqual(
          await store.findEmailSuppressions([{ projectId, key }]),
          [found],
        );
        await store.removeEmailSuppression(projectId, key);
      }
    }
  });

  test("tells of an event for what its address is on the list", async (store, clock) => {
    await store.addEmailSuppression(suppression({ detail: "by letter" }));
    const hard = { event: "bounced", hard: true } as const;
    for (const report of [{ event: "complained" }, hard] as const) {
      const message = await send(store, clock);
      assert.deepEqual(await record(store, message, report), {
        isNew: true,
        suppressed: "manual",
      });
    }
    const [found] = await store.findEmailSuppressions([{ projectId, key }]);
    assert.equal(found?.reason, "manual");
    assert.equal(found.detail, "by letter");
    assert.equal(found.deliveryId, undefined);
    assert.equal(found.count, 3);
  });

  test("looks up and lists the addresses of a project alone", async (store) => {
    const keys = ["a@x.example", "b@x.example", "c@x.example"];
    for (const one of keys.toReversed()) {
      await store.addEmailSuppression(suppression({ key: one }));
    }
    const elsewhere = { projectId: otherProjectId, key: "d@x.example" };
    await store.addEmailSuppression(suppression(elsewhere));
    const found = await store.findEmailSuppressions([
      { projectId, key: "d@x.example" },
      { projectId, key: "b@x.example" },
      elsewhere,
    ]);
    assert.deepEqual(found.map((it) => it.key).sort(), [
      "b@x.example",
      "d@x.example",
    ]);
    assert.deepEqual(await store.findEmailSuppressions([]), []);
    const page = await store.listEmailSuppressions(projectId, { limit: 2 });
    assert.deepEqual(
      page.map((it) => it.key),
      keys.slice(0, 2),
    );
    const rest = await store.listEmailSuppressions(projectId, {
      limit: 2,
      after: "b@x.example",
    });
    assert.deepEqual(
      rest.map((it) => it.key),
      keys.slice(2),
    );
  });
}

function suppression(
  one: Partial<EmailSuppression> = {},
): Omit<EmailSuppression, "count"> {
  return { projectId, key, address, reason: "manual", at: start, ...one };
}

async function accept(store: Store, message: NewMessage): Promise<number> {
  const { seq } = await store.acceptDirectMessage(message, [
    { protocol: "email", endpoint: address, billable: false },
  ]);
  return seq;
}

/** A mail that a server took, of which it will report. */
async function send(store: Store, clock: ManualClock): Promise<NewMessage> {
  const message = directMessage();
  await accept(store, message);
  await finish(store, clock, message);
  return message;
}

async function finish(
  store: Store,
  clock: ManualClock,
  message: NewMessage,
): Promise<void> {
  const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
  assert.ok(claim);
  await recordOutcomes(store, [
    {
      messageSeq: claim.messageSeq,
      target: claim.recipient.target,
      fence: claim.fence,
      state: "sent",
      attempts: 1,
      lastAttempt: { at: start, durationMs: 3, provider: "email" },
      provider: "email",
      parts: [{ externalId: mailPartId(message.id, 0) }],
      receiptExpected: true,
    },
  ]);
}

async function record(
  store: Store,
  { id }: NewMessage,
  report: Omit<MailEventReport, "at"> & Partial<MailEventReport>,
  {
    receivedAt = start,
    fingerprint = JSON.stringify(report),
    softBounces = never,
  } = {},
) {
  const { messageSeq = 0 } = (await store.findMailTarget(id, 0)) ?? {};
  return store.recordMailEvent(
    {
      at: start,
      ...report,
      receivedAt,
      messageSeq,
      target: 0,
      projectId,
      entry: mailEntry,
      externalId: mailPartId(id, 0),
      suppressionKey: key,
      fingerprint,
    },
    { address, deliveryId: toDeliveryId(id, 0), softBounces },
  );
}

async function read(store: Store, { id }: NewMessage) {
  const report = await store.findMessage(projectId, id);
  const seq = report?.message.seq ?? 0;
  return { seq, delivery: await store.findDelivery(seq, 0) };
}
