/** A shop that texts its customers about their orders, once each. */

import { LoopbackProvider } from "@carillon/gateway";
import { type MessageRecord, open } from "@carillon/server";

const carrier = new LoopbackProvider();
carrier.subscribe("+420777123456", () => {});

await using carillon = await open({
  data: process.argv[2] ?? "./shop-data",
  providers: { main: carrier },
});
const { sms } = carillon;

const order = { type: "order", id: 1042 };
const customer = { type: "customer", id: 7 };

const shipped = await sms.send({
  to: "+420777123456",
  text: "Your order is on its way",
  tag: "shipping",
  relatedObjects: [order, customer],
});
show(shipped);

// To three people, all or none.
const numbers = ["+420777123456", "+420777123457", "+420777123458"];
const offers = await sms.sendBulk({
  to: numbers,
  text: "Half price until Friday",
  class: "bulk",
  tag: "offer",
  waitMs: 5000,
});
console.log(`sent ${offers.length} offers`);

// A reminder for tomorrow, which is not needed after all.
const reminder = await sms.send({
  to: "+420777123456",
  text: "Please pay your order",
  relatedObjects: [order],
  notBefore: new Date(Date.now() + 86_400_000),
});
show(reminder);
show(await sms.cancel(reminder.id, "paid"));

console.log("about the order, newest first:");
for await (const message of sms.list({ relatedObjects: [order] }))
  show(message);

function show({ to, text, state, pymessState }: MessageRecord): void {
  console.log(`${to} ${state} (${pymessState.name}): ${text}`);
}
