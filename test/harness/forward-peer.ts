/**
 * The gateway that owns the carrier, in a process of its own: counts each text
 * it is given to send, and reports it delivered until the report is taken, as
 * carriers do.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ForwardServerProvider,
  Gateway,
  MessageDelivered,
  type OutgoingMessage,
  Provider,
} from "@carillon/gateway";
import { toNodeListener } from "@carillon/gateway/node-http";
import { ChildScript, serveParent } from "./child-script.ts";

export interface SentText {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const repeatReportMs = 200;
const texts: SentText[] = [];
let clients: readonly string[] = [];

class CountingCarrier extends Provider {
  override readonly textLimits = null;

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    texts.push({ text: message.body, at: Date.now() });
    const msgid = String(texts.length);
    message.msgid = msgid;
    setImmediate(() => void this.#report(msgid));
    return message;
  }

  async #report(msgid: string): Promise<void> {
    for (;;) {
      try {
        await this.receiveStatus(new MessageDelivered(msgid, { status: "OK" }));
        return;
      } catch {
        // The other end is down.
        await new Promise((resolve) => setTimeout(resolve, repeatReportMs));
      }
    }
  }
}

const api = {
  async start(): Promise<number> {
    const gateway = new Gateway();
    gateway.addProvider("carrier", new CountingCarrier());
    gateway.addProvider(
      "apps",
      new ForwardServerProvider({ clients: [], chooseClients: () => clients }),
    );
    const server = createServer(toNodeListener(gateway.receiverHandler()));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return (server.address() as AddressInfo).port;
  },
  /** Where the other end's provider is mounted: it gets the reports. */
  reportTo(url: string): void {
    clients = [url];
  },
  listTexts: (): SentText[] => texts,
};

export type ForwardPeerProcess = ChildScript<typeof api> & {
  readonly port: number;
};

export async function startForwardPeer(): Promise<ForwardPeerProcess> {
  const script = new ChildScript<typeof api>(import.meta.url);
  return Object.assign(script, { port: await script.call("start") });
}

if (import.meta.main) serveParent(api);
