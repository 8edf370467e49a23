import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "../../gateway.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { LogProvider } from "./provider.ts";

test("writes one line per message", async () => {
  const lines: string[] = [];
  const logger = { info: (line: string) => void lines.push(line) };
  const gateway = new Gateway();
  gateway.addProvider("log", new LogProvider({ logger }));
  const sent = await gateway.send(new OutgoingMessage("+1 234", "body"));
  assert.deepEqual(lines, ["Sent SMS to 1234: body"]);
  assert.equal(sent.msgid, "1");
  assert.equal(sent.meta, null);
  assert.equal(sent.simulated, true);
});

test("writes to the console by default", async (t) => {
  const info = t.mock.method(console, "info", () => {});
  const gateway = new Gateway();
  gateway.addProvider("log", new LogProvider());
  await gateway.send(new OutgoingMessage("1", "body"));
  assert.deepEqual(info.mock.calls[0]?.arguments, ["Sent SMS to 1: body"]);
});
