/** Every provider of ours keeps the contract; what one cannot show says why. */

import {
  type ProviderUnderTest,
  testProviderContract,
} from "@carillon/testing/provider-contract";
import { MessageSendError } from "../errors.ts";
import { Gateway } from "../gateway.ts";
import type { IncomingMessage } from "../incoming-message.ts";
import type { MessageStatus } from "../message-status.ts";
import { toNodeListener } from "../node-http.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { serve } from "../testing/serve.ts";
import { ForwardClientProvider } from "./forward/client-provider.ts";
import { ForwardServerProvider } from "./forward/server-provider.ts";
import { LogProvider } from "./log/provider.ts";
import { LoopbackProvider } from "./loopback/provider.ts";
import { NullProvider } from "./null/provider.ts";

const answering = "491510000000";
const refusing = "491510000001";
const silent = "491510000002";
const sendTimeoutMs = 300;

/** What the suite sees of a gateway; the carrier is the caller's. */
function viewOf(gateway: Gateway) {
  const statuses: MessageStatus[] = [];
  const received: IncomingMessage[] = [];
  gateway.onStatus.add((status) => void statuses.push(status));
  gateway.onReceive.add((message) => void received.push(message));
  return {
    send: (number: string, text: string) =>
      gateway.send(
        new OutgoingMessage(number, text).options({ statusReport: true }),
      ),
    statuses: () => statuses,
    received: () => received,
    answering,
    refusing,
    silent,
    stop: async () => await gateway.stop(),
  } satisfies Partial<ProviderUnderTest>;
}

/** Phones that take texts, refuse them, and never answer. */
function addPhones(gateway: Gateway) {
  const arrived: string[] = [];
  const phones = gateway.addProvider("phones", new LoopbackProvider());
  phones.subscribe(answering, ({ body }) => void arrived.push(body));
  phones.subscribe(refusing, () => {
    throw new MessageSendError("no such phone");
  });
  phones.subscribe(silent, () => new Promise(() => {}));
  return { phones, arrived };
}

const nothing = "No carrier stands behind it.";
const noCarrier = {
  "a refusal says that nothing went out": nothing,
  "silence leaves the outcome unknown": nothing,
  "reports what became of a text by its id": nothing,
  "hands over texts from phones": nothing,
};

testProviderContract(
  "null",
  async () => {
    const gateway = new Gateway();
    gateway.addProvider("null", new NullProvider());
    return { ...viewOf(gateway), arrived: () => [], handOver: async () => {} };
  },
  {
    skip: {
      ...noCarrier,
      "carries every script as it was written": "It drops all texts.",
      "carries a long text whole": "It drops all texts.",
    },
  },
);

testProviderContract(
  "log",
  async () => {
    const arrived: string[] = [];
    const logger = {
      info: (_: string, { body }: OutgoingMessage) => void arrived.push(body),
    };
    const gateway = new Gateway();
    gateway.addProvider("log", new LogProvider({ logger }));
    return {
      ...viewOf(gateway),
      arrived: () => arrived,
      handOver: async () => {},
    };
  },
  { skip: noCarrier },
);

testProviderContract("loopback", async () => {
  const gateway = new Gateway({ sendTimeoutMs });
  const { phones, arrived } = addPhones(gateway);
  return {
    ...viewOf(gateway),
    arrived: () => arrived,
    handOver: (number, text) => phones.received(number, text),
  };
});

testProviderContract("forward", async () => {
  const client = new Gateway();
  const server = new Gateway({ sendTimeoutMs: 2 * sendTimeoutMs });
  const mount = async (gateway: Gateway) =>
    await serve(toNodeListener(gateway.receiverHandler({ prefix: "sms" })));
  const ofServer = await mount(server);
  const ofClient = await mount(client);
  const { phones, arrived } = addPhones(server);
  server.addProvider(
    "clients",
    new ForwardServerProvider({ clients: [`${ofClient.url}/sms/hub`] }),
  );
  client.addProvider(
    "hub",
    new ForwardClientProvider({
      serverUrl: `${ofServer.url}/sms/clients`,
      timeoutMs: sendTimeoutMs,
    }),
  );
  const view = viewOf(client);
  return {
    ...view,
    arrived: () => arrived,
    handOver: (number, text) => phones.received(number, text),
    async stop() {
      await view.stop();
      await server.stop();
      await ofClient[Symbol.asyncDispose]();
      await ofServer[Symbol.asyncDispose]();
    },
  };
});
