import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message, MessageContent } from "../messages/message.ts";
import type { Channel } from "../ports/channel.ts";
import { PreparedMessages } from "./prepared.ts";

const long = "x".repeat(10_000);

for (const content of [
  { kind: "text", text: long },
  { kind: "structure", variants: { default: long } },
  { kind: "mail", text: "", html: long },
  { kind: "mail", text: long, html: "<p>" },
] as const satisfies readonly MessageContent[]) {
  test(`what is prepared of a long ${content.kind} is kept within bounds`, () => {
    let prepared = 0;
    // Only `prepare` is called of it.
    const channel = {
      prepare: () => {
        prepared++;
        return { deliver: async () => ({ outcome: "delivered" }) };
      },
    } as unknown as Channel;
    const messages = new PreparedMessages(15_000);
    const get = (seq: number) =>
      // Only its number and content are looked at.
      messages.get({ seq, content } as unknown as Message, channel);
    get(1);
    get(1);
    assert.equal(prepared, 1);
    get(2);
    get(1);
    assert.equal(prepared, 3);
  });
}
