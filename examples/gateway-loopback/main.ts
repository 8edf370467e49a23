/** A conversation by SMS, both sides in one process. */

import { Gateway, LoopbackProvider, OutgoingMessage } from "@carillon/gateway";

const gateway = new Gateway();
const loopback = gateway.addProvider("loopback", new LoopbackProvider());

gateway.onSend.add((m) => console.log(`sent ${m.msgid} through ${m.provider}`));
gateway.onReceive.add((m) => console.log(`${m.src} says: ${m.body}`));
gateway.onStatus.add((s) => console.log(`message ${s.msgid} is ${s.kind}`));

// A phone that answers.
loopback.subscribe("+420 777 123 456", async (message) => {
  console.log(`the phone shows: ${message.body}`);
  await message.reply("Yes, at eight.");
});

await gateway.send(
  new OutgoingMessage("+420 777 123 456", "Dinner tonight?").options({
    statusReport: true,
  }),
);

// The phone begins.
await loopback.received("+420 777 123 456", "Make it nine.");
