import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageQuery } from "@carillon/client";
import { findMessageId } from "./message-id.ts";

const first = `aaaaaaaa1${"0".repeat(23)}`;
const second = `aaaaaaaa2${"0".repeat(23)}`;

/** So many messages; says how many of them were read. */
function messagesOf(ids: readonly string[]) {
  let read = 0;
  return {
    async *list(_query?: MessageQuery) {
      for (const id of ids) {
        read++;
        yield { id, fannedOut: true, counts: {} };
      }
    },
    get read() {
      return read;
    },
  };
}

test("a message is found by the beginning of its id", async () => {
  const messages = messagesOf([second, first]);
  assert.equal(await findMessageId(messages, "aaaaaaaa1"), first);
  await assert.rejects(findMessageId(messages, "aaaaaaaa"), {
    message: `2 messages begin with aaaaaaaa: ${second}, ${first}.`,
  });
  await assert.rejects(
    findMessageId(messages, "bbbbbbbb"),
    /None of the newest/,
  );
});

test("whole ids, and what is none, are left to the server", async () => {
  const messages = messagesOf([first]);
  for (const text of [first, "aaaaaaa", "AAAAAAAA1", "x"]) {
    assert.equal(await findMessageId(messages, text), text);
  }
  assert.equal(messages.read, 0);
});

test("no more than the newest 1000 are looked at", async () => {
  const many = Array.from({ length: 5000 }, (_, n) =>
    n.toString(16).padStart(32, "0"),
  );
  const messages = messagesOf([...many, first]);
  await assert.rejects(findMessageId(messages, "aaaaaaaa1"), /newest 1000/);
  assert.equal(messages.read, 1000);
});
