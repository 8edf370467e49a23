import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type MessageQuery,
  type MessageReport,
  ResourceNotFoundError,
} from "@carillon/client";
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
    async get(id: string): Promise<MessageReport> {
      throw new ResourceNotFoundError(`No ${id}`, {
        status: 404,
        smnCode: "MESSAGE_NOT_FOUND",
      });
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

test("a whole id is taken as it is", async () => {
  const messages = messagesOf([first]);
  assert.equal(await findMessageId(messages, first), first);
  assert.equal(messages.read, 0);
});

test("the server is asked for what is no beginning of an id", async () => {
  const messages = messagesOf([first]);
  await assert.rejects(
    findMessageId(messages, "aaaaaaa"),
    /^CommandFailure: "aaaaaaa" is too short .*8 digits or more/,
  );
  for (const text of ["AAAAAAAA1", "x"]) {
    await assert.rejects(findMessageId(messages, text), {
      message: `There is no message "${text}": carillon messages list shows those there are.`,
    });
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
