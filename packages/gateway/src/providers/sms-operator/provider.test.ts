import assert from "node:assert/strict";
import { test } from "node:test";
import { testCarrierContract } from "@carillon/testing/carrier-contract";
import {
  type FakeSmsOperatorOptions,
  smsOperatorAnswer,
  startFakeSmsOperator,
} from "@carillon/testing/fake-carriers/sms-operator";
import fc from "fast-check";
import { Gateway } from "../../gateway.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import { smsOperatorType } from "./provider.ts";

const username = "tom & co";
const password = 'pass"<word>';
const { answering, refusing, silent } = numbers;
const prefix = "test";
const noCalls = "It calls nobody.";

/** A gateway with the provider alone, and an SMS Operator of our own. */
async function open(answer?: FakeSmsOperatorOptions["answer"]) {
  const operator = await startFakeSmsOperator({
    username,
    password,
    ...(answer && { answer }),
  });
  const world = await openCarrierWorld({
    type: smsOperatorType,
    carrier: operator,
    settings: ({ baseUrl }) => ({ username, password, prefix, baseUrl }),
  });
  return Object.assign(world, { operator });
}

testCarrierContract(
  "sms-operator",
  async () => {
    const world = await open(({ MobileTerminate }) => {
      if (MobileTerminate === `+${refusing}`) return 2;
      return MobileTerminate === `+${silent}` ? "silence" : undefined;
    });
    const { operator } = world;
    return Object.assign(world, {
      arrived: () => operator.texts.map(({ Text }) => Text ?? ""),
      fields: () => operator.texts.at(-1) ?? {},
      handOver: () => Promise.reject(new Error(noCalls)),
    });
  },
  {
    secrets: [password],
    skip: {
      "reports what became of a text by its id": noCalls,
      "hands over texts from phones": noCalls,
    },
    wishes: [
      {
        title: "sends as SMS Operator wants it",
        fields: { MobileTerminate: `+${answering}`, Text: "Hi" },
      },
      {
        title: "lets raw parameters say all but whom and what",
        params: {
          Priority: 1,
          Gone: null,
          MobileTerminate: "+420777000000",
          text: "Bye",
          smsid: "mine",
        },
        fields: {
          MobileTerminate: `+${answering}`,
          Text: "Hi",
          Priority: "1",
          Gone: undefined,
          text: undefined,
          smsid: undefined,
        },
      },
    ],
    refusals: [],
    unreadable: {
      "is about another text": smsOperatorAnswer([["test-1", 11]]),
      "has no text": smsOperatorAnswer([]),
      "has a text without its id": {
        body: "<a><DataItem><Status>11</Status></DataItem></a>",
      },
    },
  },
);

test("each text goes out and is found again under its prefix and id", async () => {
  await using operator = await startFakeSmsOperator({ username, password });
  const visible = fc.integer({ min: 0x21, max: 0x7e });
  const word = (minLength: number) =>
    fc
      .array(visible, { minLength, maxLength: 12 })
      .map((codes) => String.fromCharCode(...codes));
  let count = 0;
  await fc.assert(
    fc.asyncProperty(word(0), word(1), async (prefix, word) => {
      const id = `${word}${++count}`;
      const gateway = new Gateway({ newId: () => id });
      const { baseUrl } = operator;
      const given = { username, password, prefix, baseUrl };
      const made = smsOperatorType.create(given, { logger: { info() {} } });
      const provider = gateway.addProvider("sms-operator", made);
      const sent = await gateway.send(new OutgoingMessage(answering, "Hi"));
      const smsId = operator.texts.at(-1)?.SmsId;
      assert.ok(smsId?.startsWith(`${prefix}-${id}-`));
      assert.ok(smsId);
      assert.equal(sent.msgid, smsId);
      const found = await provider.fetchStatuses?.([smsId]);
      assert.deepEqual(
        found?.map(({ msgid, kind }) => [msgid, kind]),
        [[smsId, "accepted"]],
      );
    }),
    {
      examples: [
        ["1", "15"],
        ["", "15"],
        ["-", "-"],
      ],
      numRuns: 50,
    },
  );
});

test("each text of a request has a status of its own", async () => {
  await using world = await open(({ Text }) => Number(Text));
  const statuses = [11, 0, 14, 1, 3, 5, 99];
  const results = await world.provider.sendBatch?.(
    statuses.map((it) => new OutgoingMessage(answering, String(it))),
  );
  assert.equal(world.operator.requests.length, 1);
  assert.deepEqual(
    results?.map(({ message, error }) => [
      error?.name,
      error?.retryable,
      error?.outcomeUnknown,
      message.msgid !== null,
    ]),
    [
      [undefined, undefined, undefined, true],
      [undefined, undefined, undefined, true],
      [undefined, undefined, undefined, true],
      ["MessageSendError", false, false, false],
      ["MessageSendError", true, false, false],
      ["ServerError", true, false, false],
      ["MessageSendError", false, true, true],
    ],
  );
});

test("finds the texts of an answer whatever stands around them", async () => {
  await using world = await open();
  const item = (id: string) =>
    `<DATAITEM x="1"><a><smsid> ${id} </smsid></a><STATUS>\n0</STATUS></DATAITEM>`;
  for (const body of [
    `<x><y>${item("test-1")}</y><z><z>${item("test-2")}</z></z></x>`,
    `<?xml version="1.0"?><DataArray>${item("test-2")}${item("test-1")}</DataArray>`,
  ]) {
    world.operator.failNext({ body });
    const found = await world.provider.fetchStatuses?.(["test-1", "test-2"]);
    assert.deepEqual(
      found?.map(({ kind }) => kind),
      ["delivered", "delivered"],
    );
  }
  world.operator.failNext({ body: item("test-1") });
  assert.equal((await world.provider.fetchStatuses?.(["test-1"]))?.length, 1);
});

test("answers what is said of a question's texts, and of no others", async () => {
  await using world = await open();
  const ids = ["test-1", "test-2"];
  for (const [answer, known] of [
    [[["test-1", 0]], ["test-1"]],
    [
      [
        ["test-1", 0],
        ["test-2", 0],
        ["test-3", 0],
      ],
      ids,
    ],
    [[], []],
  ] as const) {
    world.operator.failNext(smsOperatorAnswer(answer));
    const found = (await world.provider.fetchStatuses?.(ids)) ?? [];
    assert.deepEqual(
      found.map(({ msgid, kind }) => [msgid, kind]),
      known.map((id) => [id, "delivered"]),
    );
  }
});

test("a text that is not found failed only if this account sent it", async () => {
  await using world = await open();
  const own = world.provider.chooseId?.() ?? "";
  const asked = ["test-1", own, "-another", own.slice(0, -1)];
  const found = (await world.provider.fetchStatuses?.(asked)) ?? [];
  assert.deepEqual(
    found.map((it) => [it.msgid, it.kind, it.statusCode]),
    [[own, "error", 15]],
  );
});

test("a text whose answer was lost is found by asking", async () => {
  await using world = await open();
  const message = new OutgoingMessage(answering, "Hi");
  world.operator.failNext(smsOperatorAnswer([]));
  await assert.rejects(world.gateway.send(message), { outcomeUnknown: true });
  const { msgid } = message;
  assert.match(msgid ?? "", /^test-./);
  world.operator.setState(msgid ?? "", 0);
  const found = await world.provider.fetchStatuses?.([msgid ?? ""]);
  assert.deepEqual(
    found?.map((it) => [it.msgid, it.kind]),
    [[msgid, "delivered"]],
  );
});

test("shows neither name nor password where a request fails", async () => {
  await using world = await open();
  for (const fault of [{ status: 401 }, { body: "?" }, "cut"] as const) {
    world.operator.failNext(fault);
    await assert.rejects(world.send(answering, "Hi"), (error: Error) => {
      assert.doesNotMatch(
        `${error.stack} ${JSON.stringify(error)}`,
        /pass"|pass&|tom &/,
      );
      return true;
    });
  }
});
