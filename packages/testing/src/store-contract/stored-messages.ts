/** Stored messages: kept with what they are about, found by it, sent once. */

import assert from "node:assert/strict";
import type {
  AcceptStoredOptions,
  Attachment,
  DirectRecipient,
  NewMessage,
  RelatedObject,
  StateCondition,
  Store,
  StoredPosition,
  StoredRecordFilter,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTopic,
  after,
  claimDue,
  directMessage,
  freshId,
  leaseOf,
  messageTo,
  otherProjectId,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

const order: RelatedObject = { type: "order", id: "7" };
const user: RelatedObject = { type: "user", id: "alice" };
const shop: RelatedObject = { type: "shop", id: "1" };

const picture: Attachment = {
  name: "logo.png",
  contentType: "image/png",
  contentId: "logo",
  content: Uint8Array.of(0, 255, 1, 254),
};

async function accept(
  store: Store,
  message: Partial<NewMessage> = {},
  options: AcceptStoredOptions = {},
  recipients = phones(1),
): Promise<number> {
  const accepted = await store.acceptStored(
    directMessage(message),
    recipients,
    options,
  );
  assert.ok(accepted.kind === "kept");
  return accepted.seq;
}

async function list(
  store: Store,
  filter: StoredRecordFilter,
  page: { limit?: number; before?: StoredPosition; maxScanned?: number } = {},
) {
  const { records, next } = await store.listStored(projectId, "sms", filter, {
    limit: 99,
    ...page,
  });
  const keys = records.map(({ delivery: { messageSeq, target } }) => [
    messageSeq,
    target,
  ]);
  return { keys, next };
}

/** The whole list, page by page. */
async function listAll(
  store: Store,
  filter: StoredRecordFilter,
  page: { limit: number; maxScanned?: number },
) {
  const all: (number | undefined)[][] = [];
  let before: StoredPosition | undefined;
  do {
    const { keys, next } = await list(store, filter, {
      ...page,
      ...(before && { before }),
    });
    all.push(...keys);
    before = next;
  } while (before);
  return all;
}

export function testStoredMessages({ test }: Cases): void {
  test("keeps a stored message with its files and what it is about", async (store) => {
    const message = directMessage({
      relatedObjects: [order, user],
      templateSlug: "shipped",
      priority: 1,
      email: { from: "shop@example.com" },
      attachmentBytes: 4,
      content: { kind: "mail", text: "Shipped", html: "<p>Shipped</p>" },
    });
    const mail = {
      protocol: "email",
      endpoint: "a@b.example",
      billable: false,
    };
    const accepted = await store.acceptStored(message, [mail], {
      attachments: [picture],
    });
    assert.ok(accepted.kind === "kept");
    const { seq } = accepted;
    const record = await store.findStored(projectId, {
      messageSeq: seq,
      target: 0,
    });
    const dates = { createdAt: start, changedAt: start };
    const { content: _, ...info } = picture;
    assert.deepEqual(record?.message, { ...message, seq });
    assert.deepEqual(record?.attachments, [{ ...info, size: 4 }]);
    assert.deepEqual(record?.relatedObjects, [
      { ...order, ...dates },
      { ...user, ...dates },
    ]);
    assert.equal(record?.relationsChangedAt, undefined);
    assert.equal(record?.delivery.state, "waiting");
    assert.deepEqual(await store.readAttachments(seq), [picture]);
  });

  test("finds stored messages of the project alone, and of direct ones", async (store) => {
    const seq = await accept(store);
    const position = { messageSeq: seq, target: 0 };
    assert.ok(await store.findStored(projectId, position));
    assert.equal(await store.findStored(otherProjectId, position), undefined);
    for (const unknown of [
      { messageSeq: seq, target: 1 },
      { messageSeq: seq + 1, target: 0 },
    ]) {
      assert.equal(await store.findStored(projectId, unknown), undefined);
    }
    const topic = await addTopic(store);
    const { seq: other } = await store.acceptMessage(
      messageTo(topic),
      undefined,
    );
    assert.equal(
      await store.findStored(projectId, { messageSeq: other, target: 0 }),
      undefined,
    );
  });

  test("keeps none for recipients of several protocols", async (store) => {
    const mail = {
      protocol: "email",
      endpoint: "a@b.example",
      billable: false,
    };
    await assert.rejects(
      store.acceptStored(directMessage(), [...phones(1), mail], {}),
      RangeError,
    );
    assert.deepEqual((await list(store, {})).keys, []);
  });

  test("is due at once, at its time, or waits for the batch sender", async (store) => {
    const at = after(5000);
    const seqs = [
      await accept(store),
      await accept(store, { notBefore: at }),
      await accept(store, { expiresAt: after(9000) }, { isBatched: true }),
    ];
    const found = await Promise.all(
      seqs.map((messageSeq) => store.findDelivery(messageSeq, 0)),
    );
    assert.deepEqual(
      found.map((it) => [it?.state, it?.nextAttemptAt, it?.waitReason]),
      [
        ["waiting", start, undefined],
        ["waiting", at, undefined],
        ["waiting", after(9000), "sms_batch"],
      ],
    );
  });

  test("lets go what waits by priority, then by age", async (store, clock) => {
    const isBatched = { isBatched: true };
    await accept(store, {}, isBatched);
    await accept(store, { priority: 2 }, isBatched);
    const first = await accept(store, { priority: 1 }, isBatched, phones(2));
    const order: string[] = [];
    for (let n = 0; n < 4; n++) {
      assert.equal((await store.makeDue("sms_batch", 1)).length, 1);
      const [claim] = await claimDue(store, clock, leaseOf("a"), start, 9);
      order.push(`${claim?.messageSeq}/${claim?.recipient.target}`);
    }
    assert.deepEqual(order, [
      `${first}/0`,
      `${first}/1`,
      `${first - 1}/0`,
      `${first - 2}/0`,
    ]);
    assert.deepEqual(await store.makeDue("sms_batch", 1), []);
  });

  test("lets go several in one transaction, which are claimed in that order, and of one channel", async (store, clock) => {
    const isBatched = { isBatched: true };
    const seqs = [];
    for (const priority of [3, 1, 2, 1] as const) {
      seqs.push(await accept(store, { priority }, isBatched));
    }
    await accept(store, { priority: 1 }, isBatched, [
      { protocol: "email", endpoint: "a@example.com", billable: false },
    ]);
    const [third, first, , second] = seqs;
    const released = await store.makeDue("sms_batch", 3);
    const order = [first, second, seqs[2]];
    assert.deepEqual(
      released.map(({ messageSeq }) => messageSeq),
      order,
    );
    const claims = await claimDue(store, clock, leaseOf("a"), start, 9);
    assert.deepEqual(
      claims.map(({ messageSeq }) => messageSeq),
      order,
    );
    assert.deepEqual(
      (await store.makeDue("sms_batch", 9)).map((it) => it.messageSeq),
      [third],
    );
    assert.equal((await store.makeDue("email_batch", 9)).length, 1);
  });

  test("says whether a template was sent about all of several objects", async (store) => {
    const templateSlug = "shipped";
    await accept(store, { templateSlug, relatedObjects: [order, user] });
    await accept(store, { templateSlug, relatedObjects: [shop] });
    await accept(store, { relatedObjects: [order, shop] });
    const wasSent = (objects: RelatedObject[], slug = templateSlug) =>
      store.wasSent(projectId, "sms", slug, objects);
    assert.equal(await wasSent([order]), true);
    assert.equal(await wasSent([user, order]), true);
    assert.equal(await wasSent([order, order]), true);
    assert.equal(await wasSent([order, shop]), false);
    assert.equal(await wasSent([{ ...order, id: "8" }]), false);
    assert.equal(await wasSent([order], "other"), false);
    assert.equal(await wasSent([]), false);
    assert.equal(
      await store.wasSent(projectId, "email", templateSlug, [order]),
      false,
    );
    assert.equal(
      await store.wasSent(otherProjectId, "sms", templateSlug, [order]),
      false,
    );
  });

  test("finds the one message about all objects among many about each", async (store) => {
    const templateSlug = "shipped";
    for (let n = 0; n < 20; n++) {
      const one = [order, user, shop][n % 3] ?? order;
      await accept(store, { templateSlug, relatedObjects: [one] });
    }
    const all = [order, user, shop];
    const wasSent = () => store.wasSent(projectId, "sms", templateSlug, all);
    assert.equal(await wasSent(), false);
    await accept(store, { templateSlug, relatedObjects: all });
    assert.equal(await wasSent(), true);
  });

  test("of two at once that must not both be sent one is kept", async (store) => {
    const unlessSent = { templateSlug: "welcome" };
    const kinds = await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        const { kind } = await store.acceptStored(
          directMessage({
            templateSlug: "welcome",
            relatedObjects: [{ type: "user", id: String(n % 4) }],
          }),
          phones(1),
          { unlessSent },
        );
        return kind;
      }),
    );
    assert.equal(kinds.filter((kind) => kind === "kept").length, 4);
    assert.equal(kinds.filter((kind) => kind === "sent_before").length, 12);
    assert.equal((await list(store, {})).keys.length, 4);
  });

  test("keeps a stored message without objects whatever was sent before", async (store) => {
    const unlessSent = { templateSlug: "welcome" };
    for (let n = 0; n < 2; n++) {
      await accept(store, { templateSlug: "welcome" }, { unlessSent });
    }
  });

  test("keeps a stored message with its key, once", async (store) => {
    const message = directMessage();
    const key = {
      projectId,
      key: "a",
      fingerprint: "f1",
      requestId: freshId(),
      messageId: message.id,
      expiresAt: after(1000),
    };
    const first = await store.acceptStored(message, phones(1), { key });
    assert.equal(first.kind, "kept");
    assert.deepEqual(
      await store.acceptStored(directMessage(), phones(1), { key }),
      { kind: "repeated", earlier: key },
    );
    assert.equal((await list(store, {})).keys.length, 1);
  });

  test("keeps no key of what was sent before", async (store) => {
    const message = { templateSlug: "welcome", relatedObjects: [user] };
    const unlessSent = { templateSlug: "welcome" };
    await accept(store, message, { unlessSent });
    const key = {
      projectId,
      key: "a",
      fingerprint: "f1",
      requestId: freshId(),
      messageId: directMessage().id,
      expiresAt: after(1000),
    };
    const again = await store.acceptStored(directMessage(message), phones(1), {
      unlessSent,
      key,
    });
    assert.equal(again.kind, "sent_before");
    assert.equal(
      await store.findIdempotencyKey(projectId, "a", start),
      undefined,
    );
  });

  test("lists stored messages by what they have", async (store) => {
    const to = phones(2);
    const [, second = assert.fail()] = to;
    await accept(store, { tag: "a", relatedObjects: [order] });
    await accept(
      store,
      { tag: "b", templateSlug: "t", createdAt: after(1) },
      {},
      to,
    );
    await accept(store, { projectId: otherProjectId, tag: "a" });
    await accept(
      store,
      { tag: "a", relatedObjects: [order, user], createdAt: after(2) },
      {},
      [second],
    );
    const mail = {
      protocol: "email",
      endpoint: "a@b.example",
      billable: false,
    };
    await accept(store, { tag: "a", relatedObjects: [user] }, {}, [mail]);
    const topic = await addTopic(store);
    const {
      id: _,
      projectId: _p,
      ...toTopic
    } = messageTo(topic, {
      tag: "a",
      relatedObjects: [order],
    });
    await store.acceptMessage({ ...directMessage(), ...toTopic }, undefined);
    const cases: [StoredRecordFilter, number[][]][] = [
      [
        {},
        [
          [4, 0],
          [2, 1],
          [2, 0],
          [1, 0],
        ],
      ],
      [
        { tag: "a" },
        [
          [4, 0],
          [1, 0],
        ],
      ],
      [
        { templateSlug: "t" },
        [
          [2, 1],
          [2, 0],
        ],
      ],
      [{ templateSlug: "t", tag: "a" }, []],
      [
        { to: second.endpoint },
        [
          [4, 0],
          [2, 1],
        ],
      ],
      [{ to: second.endpoint, templateSlug: "t" }, [[2, 1]]],
      [{ to: second.endpoint, tag: "a" }, [[4, 0]]],
      [
        { relatedObjects: [order] },
        [
          [4, 0],
          [1, 0],
        ],
      ],
      [{ relatedObjects: [order, user] }, [[4, 0]]],
      [{ relatedObjects: [user, shop] }, []],
      [{ relatedObjects: [order], to: second.endpoint }, [[4, 0]]],
      [{ relatedObjects: [order], tag: "b" }, []],
      [
        { relatedObjects: [], tag: "b" },
        [
          [2, 1],
          [2, 0],
        ],
      ],
      [
        { since: after(1) },
        [
          [4, 0],
          [2, 1],
          [2, 0],
        ],
      ],
      [{ until: after(1) }, [[1, 0]]],
      [
        { since: after(1), until: after(2) },
        [
          [2, 1],
          [2, 0],
        ],
      ],
      [
        { states: [{ state: "waiting" }], tag: "b" },
        [
          [2, 1],
          [2, 0],
        ],
      ],
      [{ states: [{ state: "failed" }] }, []],
      [{ states: [] }, []],
      [
        { states: [{ state: "failed" }, { state: "waiting" }], tag: "b" },
        [
          [2, 1],
          [2, 0],
        ],
      ],
    ];
    for (const [filter, expected] of cases) {
      const title = JSON.stringify(filter);
      assert.deepEqual((await list(store, filter)).keys, expected, title);
      for (const page of [{ limit: 1 }, { limit: 2, maxScanned: 1 }]) {
        assert.deepEqual(await listAll(store, filter, page), expected, title);
      }
    }
    const { records } = await store.listStored(
      projectId,
      "email",
      {},
      {
        limit: 9,
      },
    );
    assert.deepEqual(
      records.map(({ delivery }) => delivery.messageSeq),
      [5],
    );
  });

  test("looks at so many stored messages for a page, and says where it goes on", async (store) => {
    for (let n = 0; n < 6; n++) await accept(store, { tag: n ? "b" : "a" });
    const { keys, next } = await list(
      store,
      { states: [{ state: "delivered" }] },
      { maxScanned: 4 },
    );
    assert.deepEqual(keys, []);
    assert.deepEqual(next, { messageSeq: 3, target: 0 });
    const rest = await list(
      store,
      { since: start },
      { maxScanned: 4, before: { messageSeq: 3, target: 0 } },
    );
    assert.deepEqual(rest, {
      keys: [
        [2, 0],
        [1, 0],
      ],
      next: undefined,
    });
  });

  test("changes what a stored message is about", async (store) => {
    const templateSlug = "shipped";
    const seq = await accept(store, { templateSlug, relatedObjects: [order] });
    const at = after(10);
    const objectOf = (object: RelatedObject, when = at) => ({
      ...object,
      createdAt: when,
      changedAt: when,
    });
    const find = async () =>
      store.findStored(projectId, { messageSeq: seq, target: 0 });
    const change = (
      changes: Omit<Parameters<Store["changeRelatedObjects"]>[1], "most">,
    ) => store.changeRelatedObjects(seq, { most: 9, ...changes });
    const changed = (...relatedObjects: object[]) => ({
      kind: "changed",
      relatedObjects,
    });
    // What is there already is left as it is.
    assert.deepEqual(
      await change({ add: [order], at }),
      changed(objectOf(order, start)),
    );
    assert.equal((await find())?.relationsChangedAt, undefined);
    assert.deepEqual(
      await change({ add: [user, order], at }),
      changed(objectOf(order, start), objectOf(user)),
    );
    assert.equal((await find())?.relationsChangedAt, at);
    assert.deepEqual((await find())?.message.relatedObjects, [order, user]);
    assert.equal(
      await store.wasSent(projectId, "sms", templateSlug, [user, order]),
      true,
    );
    const later = after(20);
    const other = { type: "user", id: "bob" };
    assert.deepEqual(
      await change({
        add: [other],
        replace: { type: "user" },
        at: later,
      }),
      changed(objectOf(order, start), objectOf(other, later)),
    );
    assert.equal(
      await store.wasSent(projectId, "sms", templateSlug, [user]),
      false,
    );
    assert.deepEqual(
      await change({
        add: [],
        replace: true,
        at: after(30),
      }),
      changed(),
    );
    assert.equal((await find())?.relationsChangedAt, after(30));
    assert.deepEqual((await list(store, { relatedObjects: [order] })).keys, []);
  });

  test("of changes at once none brings a message over the most it may be about", async (store) => {
    const seq = await accept(store, { relatedObjects: [order] });
    const changes = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        store.changeRelatedObjects(seq, {
          add: Array.from({ length: 3 }, (_, m) => ({
            type: "user",
            id: `${n}-${m}`,
          })),
          most: 4,
          at: after(n),
        }),
      ),
    );
    const refused = changes.filter(({ kind }) => kind === "too_many");
    assert.equal(refused.length, 5);
    for (const it of refused) {
      assert.deepEqual(it, { kind: "too_many", count: 7 });
    }
    const find = () =>
      store.findStored(projectId, { messageSeq: seq, target: 0 });
    assert.equal((await find())?.relatedObjects.length, 4);
    assert.equal((await find())?.relationsChangedAt, start);
    // What is replaced makes room, and what is there already takes none.
    const exact = await store.changeRelatedObjects(seq, {
      add: [order, user, shop],
      replace: { type: "user" },
      most: 3,
      at: after(9),
    });
    assert.equal(exact.kind, "changed");
    assert.deepEqual(
      await store.changeRelatedObjects(seq, {
        add: [{ ...user, id: "bob" }],
        replace: { type: "shop" },
        most: 2,
        at: after(10),
      }),
      { kind: "too_many", count: 3 },
    );
    assert.equal((await find())?.relationsChangedAt, after(9));
  });

  test("lists stored messages in a part of a state", async (store, clock) => {
    const recipients = phones(4);
    const seq = await accept(store, {}, {}, recipients);
    const claims = await claimDue(store, clock, leaseOf("a"), start, 9);
    const part = (externalId: string) => ({
      provider: "acme",
      parts: [{ externalId, state: "sent" as const }],
    });
    const ends = [
      { state: "sent", receiptExpected: true, ...part("0") },
      { state: "sent" },
      { state: "sent", receiptExpected: true, ...part("2") },
      { state: "expired", errorClass: "expired" },
    ] as const;
    await recordOutcomes(
      store,
      claims.map(({ recipient: { target }, fence }) => {
        const { errorClass, ...end } = {
          errorClass: undefined,
          ...(ends[target] ?? assert.fail()),
        };
        return {
          messageSeq: seq,
          target,
          attempts: 1,
          lastAttempt: {
            at: start,
            durationMs: 1,
            ...(errorClass && { errorClass }),
          },
          ...end,
          fence,
        };
      }),
    );
    await store.recordReceipt({
      entry: "acme",
      externalId: "2",
      event: "expire",
      at: after(1),
    });
    const of = async (condition: StateCondition) =>
      (await list(store, { states: [condition] })).keys.map(
        ([, target]) => target,
      );
    for (const [condition, expected] of [
      [{ state: "sent" }, [1, 0]],
      [{ state: "sent", receiptExpected: true }, [0]],
      [{ state: "sent", receiptExpected: false }, [1]],
      [{ state: "expired" }, [3, 2]],
      [{ state: "expired", isExpiredByReceipt: true }, [2]],
      [{ state: "expired", isExpiredByReceipt: false }, [3]],
    ] as const) {
      assert.deepEqual(
        await of(condition),
        expected,
        JSON.stringify(condition),
      );
    }
  });

  test("looks up what is in states that are not common", async (store, clock) => {
    const seq = await accept(store, {}, {}, phones(4));
    const elsewhere = { projectId: otherProjectId };
    await accept(store, elsewhere);
    const claims = await claimDue(store, clock, leaseOf("a"), start, 9);
    const ends = ["failed", "sent", "rejected", "failed"] as const;
    await recordOutcomes(
      store,
      claims.map(({ messageSeq, recipient: { target }, fence }) => ({
        messageSeq,
        target,
        state: messageSeq === seq ? (ends[target] ?? assert.fail()) : "failed",
        attempts: 1,
        lastAttempt: { at: start, durationMs: 1 },
        fence,
      })),
    );
    const waiting = await accept(store);
    const keysOf = async (states: StateCondition[], limit = 2) =>
      await listAll(store, { states }, { limit, maxScanned: 1 });
    const failed = { state: "failed" } as const;
    const rejected = { state: "rejected" } as const;
    for (const [states, expected] of [
      [[failed], [3, 0]],
      [
        [failed, rejected],
        [3, 2, 0],
      ],
      [[{ state: "cancelled" }], []],
      [[], []],
    ] as const) {
      const found = await keysOf([...states]);
      assert.deepEqual(
        found,
        expected.map((target) => [seq, target]),
      );
    }
    assert.deepEqual(await keysOf([{ state: "waiting" }]), [[waiting, 0]]);
    assert.deepEqual(await keysOf([{ state: "waiting" }, failed], 1), [
      [waiting, 0],
      [seq, 3],
      [seq, 0],
    ]);
    // As many as match are looked at, not as many as there are.
    const { next } = await list(
      store,
      { states: [rejected] },
      { maxScanned: 2 },
    );
    assert.equal(next, undefined);
  });

  test("lists what was created since, also where the clock was set back", async (store) => {
    const times = [0, 50, 10, 20, 60, 30];
    const seqs: number[] = [];
    for (const ms of times) {
      seqs.push(await accept(store, { createdAt: after(ms), tag: "a" }));
    }
    for (const filter of [{}, { tag: "a" }]) {
      for (const ms of [0, 5, 20, 25, 50, 55, 60, 61]) {
        const since = after(ms);
        const expected = seqs.filter((_, n) => (times[n] ?? 0) >= ms).reverse();
        const all = await listAll(store, { ...filter, since }, { limit: 9 });
        assert.deepEqual(
          all.map(([seq]) => seq),
          expected,
          `since ${ms}`,
        );
      }
    }
    // Those before the first of them are not looked through.
    const page = { maxScanned: 3 };
    const last = await list(store, { since: after(55) }, page);
    assert.deepEqual(last.keys, [[seqs[4], 0]]);
    assert.equal(last.next, undefined);
  });

  test("goes on behind a recipient's messages of its own project alone", async (store) => {
    const [{ endpoint: to }] = phones(1) as [DirectRecipient];
    const old = await accept(store);
    for (let n = 0; n < 6; n++) {
      await accept(store, { projectId: otherProjectId });
    }
    assert.deepEqual(await list(store, { to }, { maxScanned: 4 }), {
      keys: [[old, 0]],
      next: undefined,
    });
    const own = await accept(store, { tag: "a" });
    await accept(store, { projectId: otherProjectId });
    const filters = [
      { to, tag: "b" },
      { to, relatedObjects: [order] },
    ];
    for (const filter of filters) {
      let before: StoredPosition | undefined;
      do {
        const { next } = await list(store, filter, {
          maxScanned: 1,
          ...(before && { before }),
        });
        if (next) assert.ok([old, own].includes(next.messageSeq));
        before = next;
      } while (before);
    }
  });

  test("lists no more of long contents than is asked for", async (store) => {
    const long = `Zażółć "\\ ${"😀".repeat(200)}`;
    const contents = [
      { kind: "text", text: long },
      { kind: "mail", text: long, html: "<p>long</p>".repeat(1000) },
      { kind: "mail", text: "short", html: "<p>short</p>" },
      { kind: "structure", variants: { default: long, sms: "short" } },
    ] as const;
    for (const content of contents) await accept(store, { content });
    const page = { limit: 9, excerptLength: 12 };
    const { records } = await store.listStored(projectId, "sms", {}, page);
    const cut = [...long].slice(0, 12).join("");
    assert.deepEqual(records.map(({ message }) => message.content).reverse(), [
      { kind: "text", text: cut },
      { kind: "mail", text: cut, html: "" },
      { kind: "mail", text: "short", html: "" },
      contents[3],
    ]);
    const whole = await store.listStored(projectId, "sms", {}, { limit: 9 });
    assert.deepEqual(
      whole.records.map(({ message }) => message.content).reverse(),
      contents,
    );
  });

  test("lists each message with its own files and what it is about", async (store) => {
    const attachments = [picture, { ...picture, name: "b.png" }];
    const seq = await accept(
      store,
      { relatedObjects: [order, user] },
      { attachments },
      phones(2),
    );
    await accept(store, { relatedObjects: [shop] });
    await accept(store);
    const { records } = await store.listStored(
      projectId,
      "sms",
      {},
      { limit: 9 },
    );
    assert.deepEqual(
      records.map(({ relatedObjects, attachments: files }) => [
        relatedObjects.map(({ id }) => id),
        files.map(({ name }) => name),
      ]),
      [
        [[], []],
        [["1"], []],
        [
          ["7", "alice"],
          ["logo.png", "b.png"],
        ],
        [
          ["7", "alice"],
          ["logo.png", "b.png"],
        ],
      ],
    );
    // It was read once.
    const [, , one, other] = records;
    assert.equal(one?.message, other?.message);
    assert.deepEqual(await store.readAttachment(seq, 1), attachments[1]);
    assert.equal(await store.readAttachment(seq, 2), undefined);
    assert.equal(await store.readAttachment(seq + 1, 0), undefined);
  });

  test("merges what providers tell, attempt by attempt", async (store, clock) => {
    const seq = await accept(store);
    const told = [
      { price: 2, route: "a", reason: "busy", batch: null },
      undefined,
      // One that is there and empty is another than one that is not there.
      { route: "b", isFlash: true, reason: null, parts: { 1: null } },
    ];
    for (const [n, senderData] of told.entries()) {
      const now = after(n * 1000);
      const [claim] = await claimDue(store, clock, leaseOf("a"), now, 9);
      assert.ok(claim);
      await recordOutcomes(store, [
        {
          messageSeq: seq,
          target: 0,
          state: "retrying",
          attempts: n + 1,
          lastAttempt: { at: now, durationMs: 1 },
          nextAttemptAt: after((n + 1) * 1000),
          ...(senderData && { senderData }),
          fence: claim.fence,
        },
      ]);
    }
    const found = await store.findDelivery(seq, 0);
    assert.deepEqual(found?.senderData, {
      price: 2,
      route: "b",
      reason: null,
      batch: null,
      isFlash: true,
      parts: { 1: null },
    });
  });

  test("keeps a bulk whole or not at all", async (store) => {
    const recipients = phones(500);
    const seq = await accept(store, {}, {}, recipients);
    const all = await listAll(store, {}, { limit: 77 });
    assert.deepEqual(
      all,
      recipients.map((_, n) => [seq, recipients.length - 1 - n]),
    );
    const broken = recipients.map((it, n) =>
      n < 400 ? it : { ...it, endpoint: null as unknown as string },
    );
    await assert.rejects(store.acceptStored(directMessage(), broken, {}), {
      code: "STORAGE_REFUSED",
    });
    assert.equal((await listAll(store, {}, { limit: 600 })).length, 500);
  });
}
