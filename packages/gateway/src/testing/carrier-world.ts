/** A provider in a gateway of its own, with a carrier for it on this machine. */

import type {
  CallbackAddress,
  CarrierUnderTest,
} from "@carillon/testing/carrier-contract";
import type { FakeCarrier } from "@carillon/testing/fake-carriers/fake-carrier";
import { Gateway } from "../gateway.ts";
import type { HttpClient } from "../http.ts";
import type { IncomingMessage } from "../incoming-message.ts";
import type { MessageStatus } from "../message-status.ts";
import { toNodeListener } from "../node-http.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import type { Provider } from "../provider.ts";
import type { ProviderType } from "../provider-type.ts";
import { serve } from "./serve.ts";

/** Numbers that fakes of carriers know apart. */
export const numbers = {
  answering: "491510000000",
  refusing: "491510000001",
  silent: "491510000002",
} as const;

const sendTimeoutMs = 500;

export interface CarrierWorldOptions {
  readonly type: ProviderType;
  readonly carrier: FakeCarrier;
  /** Of the provider, but for its name and type. */
  readonly settings: (urls: {
    readonly baseUrl: string;
    /** Where the carrier reaches the provider's routes. */
    readonly callbackUrl: string;
  }) => object;
  /** For carriers that are reached under their own names, too. */
  readonly http?: HttpClient;
}

/** All of a carrier under test that is the same for every carrier. */
export interface CarrierWorld
  extends Omit<
      CarrierUnderTest,
      "arrived" | "fields" | "handOver" | "calls" | "statuses" | "received"
    >,
    AsyncDisposable {
  /** The present one: a restart makes another. */
  readonly gateway: Gateway;
  readonly provider: Provider;
  readonly callbackUrl: string;
  statuses(): readonly MessageStatus[];
  received(): readonly IncomingMessage[];
}

export async function openCarrierWorld({
  type,
  carrier,
  settings,
  http,
}: CarrierWorldOptions): Promise<CarrierWorld> {
  const name = type.type;
  const statuses: MessageStatus[] = [];
  const received: IncomingMessage[] = [];
  let isFailing = false;
  const mayFail = () => {
    if (!isFailing) return;
    isFailing = false;
    throw new Error("no room");
  };

  let address: CallbackAddress = "settings";

  function openGateway() {
    const gateway = new Gateway({ sendTimeoutMs, ...(http && { http }) });
    gateway.onStatus.add((status) => {
      mayFail();
      statuses.push(status);
    });
    gateway.onReceive.add((message) => {
      mayFail();
      received.push(message);
    });
    const handle = toNodeListener(gateway.receiverHandler({ prefix: "sms" }));
    return { gateway, handle };
  }

  let current = openGateway();
  const routes = await serve((...call) => current.handle(...call));
  const callbackUrl = `${routes.url}/sms/${name}`;

  function addProvider(): Provider {
    const { baseUrl } = carrier;
    const given = settings({ baseUrl, callbackUrl });
    const { callbackUrl: _, ...others } = { callbackUrl, ...given };
    const made = type.create(address === "settings" ? given : others, {
      logger: { info() {} },
    });
    const { gateway } = current;
    if (address === "gateway") gateway.callbackBase = `${routes.url}/sms`;
    return gateway.addProvider(name, made);
  }
  let provider = addProvider();

  const stop = async () => {
    await current.gateway.stop();
    await routes[Symbol.asyncDispose]();
    await carrier[Symbol.asyncDispose]();
  };
  return {
    ...numbers,
    name,
    carrier,
    callbackUrl,
    get gateway() {
      return current.gateway;
    },
    get provider() {
      return provider;
    },
    statuses: () => statuses,
    received: () => received,
    async send(number, text, { from, options = {}, params = {} } = {}) {
      const sent = await current.gateway.send(
        new OutgoingMessage(number, text, from)
          .options({ statusReport: true, ...options })
          .params({ ...params }),
      );
      const { statusReport } = sent.providerOptions;
      return { msgid: sent.msgid, isReported: statusReport };
    },
    ...(provider.sendBatch && {
      sendBatch: async (texts) =>
        (await provider.sendBatch?.(
          texts.map(({ number, text }) =>
            new OutgoingMessage(number, text).options({ statusReport: true }),
          ),
        )) ?? [],
    }),
    ...(provider.fetchStatuses && {
      fetchStatuses: (msgids) => current.gateway.fetchStatuses(name, msgids),
    }),
    ...(provider.fetchBalance && {
      fetchBalance: async () =>
        (await provider.fetchBalance?.()) ?? { amount: Number.NaN },
    }),
    failNextHook() {
      isFailing = true;
    },
    get pollAfterMs() {
      return provider.polling?.firstAfterMs;
    },
    async restart(next = "settings") {
      address = next;
      await current.gateway.stop();
      current = openGateway();
      provider = addProvider();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
