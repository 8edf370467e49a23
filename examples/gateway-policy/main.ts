/** Several carriers: rules as data, failover, and why. */

import {
  DeliveryPolicy,
  Gateway,
  LoopbackProvider,
  OutgoingMessage,
  ServerError,
} from "@carillon/gateway";

const policy = new DeliveryPolicy({
  currency: "EUR",
  providers: {
    direct: { costPerSegment: 0.05 },
    cheap: { costPerSegment: 0.02 },
  },
  rules: [
    { name: "codes", when: { class: ["otp"] }, use: "direct || cheap" },
    {
      name: "Czechia",
      when: { country: ["CZ"] },
      sticky: true,
      use: "cheap",
      providers: { cheap: { senders: ["420900100"] } },
    },
  ],
});
const gateway = new Gateway({ policy });
gateway.addProvider("world", new LoopbackProvider());
gateway.addProvider("cheap", new LoopbackProvider());
const direct = gateway.addProvider("direct", new LoopbackProvider());

const text = (to: string, messageClass: string | null = null) =>
  new OutgoingMessage(to, "Ahoj, kód je 123456").options({ messageClass });

for (const message of [
  text("420777123456"),
  text("420777123456", "otp"),
  text("33612345678"),
]) {
  const { provider, reason, segments, estimatedCost } =
    await gateway.explain(message);
  const cost = estimatedCost
    ? `${estimatedCost.amount} ${estimatedCost.currency}`
    : "unknown";
  console.log(`${provider}: ${reason}; segments: ${segments}, cost: ${cost}`);
}

// The direct line is down: the code goes through the next one.
direct.subscribe("420777123456", () => {
  throw new ServerError("link down");
});
const code = await gateway.send(text("420777123456", "otp"));
const [failure] = code.choice?.failures ?? [];
console.log(`${failure?.provider} failed, ${code.provider} sent it`);
