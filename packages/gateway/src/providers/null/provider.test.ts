import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "../../gateway.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { NullProvider } from "./provider.ts";

test("numbers messages per instance and reports nothing", async () => {
  const gateway = new Gateway();
  gateway.addProvider("a", new NullProvider());
  gateway.addProvider("b", new NullProvider());
  let statuses = 0;
  gateway.onStatus.add(() => {
    statuses += 1;
  });
  const ids: (string | null)[] = [];
  for (const provider of ["a", "a", "b"]) {
    const message = new OutgoingMessage("1", "hi", null, provider);
    const sent = await gateway.send(message.options({ statusReport: true }));
    ids.push(sent.msgid);
    assert.equal(sent.meta, null);
    assert.equal(sent.simulated, true);
  }
  assert.deepEqual(ids, ["1", "2", "1"]);
  assert.equal(statuses, 0);
});

test("has no receiver", () => {
  assert.equal(new NullProvider().receiver(), null);
});
