/** The webhook receiver in a process of its own. */

import { ChildScript, serveParent } from "./child-script.ts";
import {
  type Arrival,
  WebhookSink,
  type WebhookSinkOptions,
} from "./webhook-sink.ts";

let sink: WebhookSink | undefined;

function running(): WebhookSink {
  if (!sink) throw new Error("start it first");
  return sink;
}

const api = {
  async start(options: WebhookSinkOptions): Promise<number> {
    sink = await WebhookSink.start({ keepBodies: false, ...options });
    return sink.port;
  },
  countConfirmed: (): number => running().confirmed.size,
  countArrivals: (): number => running().arrivals.length,
  countAnswered: (): number =>
    running().arrivals.filter(({ answeredAt }) => answeredAt !== undefined)
      .length,
  listArrivals: (): Arrival[] => running().arrivals,
  listArrivalsOf: (id: string): Arrival[] =>
    running().arrivals.filter(({ messageId }) => messageId === id),
  /** Those of the messages that no path has. */
  findAbsent(messageIds: readonly string[]): string[] {
    const there = new Set(running().arrivals.map((one) => one.messageId));
    return messageIds.filter((id) => !there.has(id));
  },
  /** Notifications by the first part of their paths. */
  countRequests: (): ReadonlyMap<string, number> => running().requests,
  /** From now on paths that begin so, and have no behaviour, answer this. */
  answer(prefix: string, status: number): void {
    const before = running().status;
    running().status = (path) =>
      path.startsWith(prefix) ? status : before(path);
  },
};

export type WebhookSinkProcess = ChildScript<typeof api> & {
  readonly port: number;
};

export async function startWebhookSink(
  options: WebhookSinkOptions = {},
): Promise<WebhookSinkProcess> {
  const script = new ChildScript<typeof api>(import.meta.url);
  return Object.assign(script, { port: await script.call("start", options) });
}

if (import.meta.main) serveParent(api);
