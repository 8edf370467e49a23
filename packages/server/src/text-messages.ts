/** Sets up the SMS gateway, and tells the engine what its providers report. */

import type { Clock, Engine, Logger, Receipt } from "@carillon/core";
import {
  Gateway,
  LogProvider,
  LoopbackProvider,
  type MessageStatus,
  NullProvider,
  type Provider,
} from "@carillon/gateway";
import type { Config } from "./config.ts";

type ProviderName = Config["sms"]["providers"][number];

/** A gateway with the configured providers; the first one is the default. */
export function createSmsGateway(config: Config, logger: Logger): Gateway {
  const gateway = new Gateway();
  for (const name of config.sms.providers) {
    gateway.addProvider(name, createProvider(name, logger));
  }
  return gateway;
}

/** Lets providers' later words advance the deliveries they speak of. */
export function forwardReceipts(
  gateway: Gateway,
  engine: Pick<Engine, "receive">,
  clock: Clock,
): void {
  gateway.onStatus.add(async (status) => {
    const receipt = toReceipt(status, clock.now());
    if (receipt) await engine.receive(receipt);
  });
}

function createProvider(name: ProviderName, logger: Logger): Provider {
  switch (name) {
    case "loopback":
      return new LoopbackProvider();
    case "null":
      return new NullProvider();
    case "log":
      return new LogProvider({
        logger: { info: (text) => logger.info("sms_logged", { text }) },
      });
    default:
      return name satisfies never;
  }
}

const receiptEvents: Partial<
  Record<MessageStatus["kind"], Receipt["event"]>
> = {
  accepted: "accept",
  delivered: "deliver",
  expired: "expire",
  error: "reject",
};

/** `undefined` when the status says nothing. */
function toReceipt(status: MessageStatus, at: number): Receipt | undefined {
  const event = receiptEvents[status.kind];
  if (event === undefined || !status.msgid || !status.provider) {
    return undefined;
  }
  return {
    provider: status.provider,
    externalId: status.msgid,
    event,
    at,
    ...(status.status && { text: status.status }),
  };
}
