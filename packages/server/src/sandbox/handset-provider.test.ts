import {
  Gateway,
  type IncomingMessage,
  type MessageStatus,
  OutgoingMessage,
} from "@carillon/gateway";
import { createCountingIds } from "@carillon/testing";
import { testProviderContract } from "@carillon/testing/provider-contract";
import { HandsetProvider } from "./handset-provider.ts";
import { phoneOutcomes } from "./outcomes.ts";

const { ending = "" } =
  phoneOutcomes.find(({ refusal }) => refusal !== undefined) ?? {};

testProviderContract(
  "the sandbox's handset",
  async () => {
    const arrived: string[] = [];
    const statuses: MessageStatus[] = [];
    const received: IncomingMessage[] = [];
    const gateway = new Gateway();
    const handset = gateway.addProvider(
      "sandbox",
      new HandsetProvider({
        newId: createCountingIds(),
        currentMessage: () => undefined,
        deliver: (_, text) => void arrived.push(text),
        answer: async () => {},
      }),
    );
    gateway.onStatus.add((status) => void statuses.push(status));
    gateway.onReceive.add((message) => void received.push(message));
    return {
      send: (number, text) =>
        gateway.send(
          new OutgoingMessage(number, text).options({ statusReport: true }),
        ),
      arrived: () => arrived,
      statuses: () => statuses,
      received: () => received,
      handOver: (number, text) => handset.reply(number, text, undefined),
      answering: "491511234567",
      refusing: `49151123${ending}`,
      silent: "",
      stop: async () => await gateway.stop(),
    };
  },
  {
    skip: {
      "silence leaves the outcome unknown": "Its phones answer at once.",
    },
  },
);
