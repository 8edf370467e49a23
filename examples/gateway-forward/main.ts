/** One application sends and receives through the carriers of another. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ForwardClientProvider,
  ForwardServerProvider,
  Gateway,
  LoopbackProvider,
  OutgoingMessage,
  ServerError,
} from "@carillon/gateway";
import { toNodeListener } from "@carillon/gateway/node-http";

const app = new Gateway();
const hub = new Gateway();
const appHttp = createServer(toNodeListener(app.receiverHandler()));
const hubHttp = createServer(toNodeListener(hub.receiverHandler()));
const listen = async (server: typeof appHttp): Promise<string> => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const auth = { user: "app", pass: "s3cret" };
const userinfo = `${auth.user}:${auth.pass}`;
const appUrl = `http://${userinfo}@${await listen(appHttp)}/hub`;
const hubUrl = `http://${userinfo}@${await listen(hubHttp)}/apps`;

// The hub owns the carriers. The first provider is its default: not "apps",
// which only hands things on.
const carrier = hub.addProvider("carrier", new LoopbackProvider());
hub.addProvider("apps", new ForwardServerProvider({ clients: [appUrl], auth }));

// The application knows the hub alone.
app.addProvider("hub", new ForwardClientProvider({ serverUrl: hubUrl, auth }));
app.onReceive.add((m) => console.log(`${m.src} says: ${m.body}`));
app.onStatus.add((s) => console.log(`${s.msgid} is ${s.kind}`));

carrier.subscribe("420777123456", (message) => message.reply("Got it."));
const message = new OutgoingMessage("420777123456", "Hello from far away");
await app.send(message.options({ statusReport: true }));
console.log(`sent by ${message.provider} of the hub as ${message.msgid}`);

// Errors arrive as what they were.
carrier.subscribe("420600000000", () => {
  throw new ServerError("The carrier is down");
});
try {
  await app.send(new OutgoingMessage("420600000000", "Hello?"));
} catch (error) {
  if (!(error instanceof ServerError)) throw error;
  console.log(`${error.name}: ${error.message} (retry: ${error.retryable})`);
}

appHttp.close();
hubHttp.close();
