import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  LimitsError,
  type ProviderError,
  RequestError,
} from "../errors.ts";
import { MessageDelivered, type MessageStatus } from "../message-status.ts";
import { askEach } from "./ask-each.ts";

const ids = Array.from({ length: 20 }, (_, n) => String(n + 1));

/** Asks about 20, of which some fail; each answer takes its time. */
async function ask(
  failures: Readonly<Record<string, ProviderError>>,
  { tookMs = 0, unknown = [] as readonly string[] } = {},
) {
  let now = 0;
  let open = 0;
  const asked: string[] = [];
  const maxOpen = { seen: 0 };
  const host = { now: () => now };
  const answer = async (id: string): Promise<MessageStatus | undefined> => {
    asked.push(id);
    maxOpen.seen = Math.max(maxOpen.seen, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    now += tookMs;
    const failure = failures[id];
    if (failure) throw failure;
    return unknown.includes(id) ? undefined : new MessageDelivered(id);
  };
  const answers = askEach(ids, host, answer);
  const found = await answers.catch((error: ProviderError) => error.name);
  const known =
    typeof found === "string" ? found : found.map(({ msgid }) => msgid);
  return { known, asked, maxOpen: maxOpen.seen };
}

test("asks about each once, a few at a time", async () => {
  const { known, asked, maxOpen } = await ask({}, { unknown: ["7"] });
  assert.deepEqual(asked, ids);
  assert.deepEqual(
    known,
    ids.filter((id) => id !== "7"),
  );
  assert.equal(maxOpen, 4);
});

test("asks no more once the carrier wants to be left alone, and keeps what it said", async () => {
  for (const error of [new LimitsError(), new AuthError()]) {
    const { known, asked } = await ask({ 15: error });
    assert.equal(asked.length, 18);
    assert.equal(known.length, 17);
    assert.ok(!known.includes("15"));
  }
});

test("an id that is to blame costs itself alone", async () => {
  const { known } = await ask({ 1: new RequestError(), 9: new RequestError() });
  assert.equal(known.length, 18);
});

test("fails where nothing was found, with what ended it", async () => {
  const refused = Object.fromEntries(ids.map((id) => [id, new RequestError()]));
  assert.equal((await ask(refused)).known, "RequestError");
  const limited = { ...refused, 3: new LimitsError() };
  assert.equal((await ask(limited)).known, "LimitsError");
  const { known } = await ask({}, { unknown: ids });
  assert.deepEqual(known, []);
});

test("begins nothing once its time is up", async () => {
  const { known, asked } = await ask({}, { tookMs: 1000 });
  assert.ok(asked.length >= 5 && asked.length < 10, String(asked.length));
  assert.deepEqual(known, asked);
});
