/** People say stop, and nothing is sent any more. */

import {
  Gateway,
  LoopbackProvider,
  OptOut,
  OutgoingMessage,
  SuppressedError,
} from "@carillon/gateway";

const optOut = new OptOut({ languages: ["en", "fr"], exemptClasses: ["otp"] });
const gateway = new Gateway({ optOut });
const loopback = gateway.addProvider("loopback", new LoopbackProvider());

const phone = "33612345678";
gateway.onReceive.add(async ({ src, keyword }) => {
  if (keyword === null) return;
  // Confirmations and help must reach also those who opted out.
  const reply = new OutgoingMessage(src, `Acme: understood "${keyword}".`);
  await gateway.send(optOut.exempt(reply));
});

const send = async (messageClass: string): Promise<void> => {
  const message = new OutgoingMessage(phone, "Soldes !", "38000");
  try {
    await gateway.send(message.options({ messageClass }));
    console.log(`${messageClass}: sent`);
  } catch (error) {
    if (!(error instanceof SuppressedError)) throw error;
    console.log(`${messageClass}: suppressed since "${error.keyword}"`);
  }
};

await send("news");
await loopback.received(phone, "Arrêt.");
await send("news");
await send("otp");
await loopback.received(phone, "help");
await loopback.received(phone, "START");
await send("news");
console.log(`${loopback.takeTraffic().length} texts went either way`);
