/**
 * A mail server in a process of its own: follows the confirmation links it is
 * sent, and remembers when each message arrived at each mailbox.
 */

import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { ChildScript, serveParent } from "./child-script.ts";
import type { Arrival } from "./webhook-sink.ts";

const arrivals: Arrival[] = [];
const confirmed = new Set<string>();

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  disableReverseLookup: true,
  async onData(stream, session, callback) {
    const at = Date.now();
    // A server that is killed breaks off: there is no mail then.
    const data = await readText(stream).catch(() => undefined);
    if (data === undefined) return;
    const mail = unfold(data);
    const path = session.envelope.rcptTo[0]?.address ?? "";
    const link = /http\S+\/c\/\S+/.exec(mail)?.[0];
    if (link) await confirm(path, link);
    else {
      const messageId = /^X-SMN-MESSAGE-ID: (\S+)/im.exec(mail)?.[1] ?? "";
      arrivals.push({ path, messageId, at, answeredAt: Date.now(), body: "" });
    }
    callback(null);
  },
});
server.on("error", () => {
  // Connections that broke: nothing arrived.
});

async function confirm(path: string, link: string): Promise<void> {
  const answer = await fetch(link, { method: "POST" }).catch(() => undefined);
  await answer?.body?.cancel();
  if (answer?.ok) confirmed.add(path);
}

/** Takes quoted-printable's soft line breaks out. */
function unfold(mail: string): string {
  return mail.replaceAll("=\r\n", "").replaceAll("=3D", "=");
}

const api = {
  async start(): Promise<number> {
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return (server.server.address() as AddressInfo).port;
  },
  countConfirmed: (): number => confirmed.size,
  listArrivals: (): Arrival[] => arrivals,
};

export type SmtpSink = ChildScript<typeof api> & { readonly port: number };

export async function startSmtpSink(): Promise<SmtpSink> {
  const script = new ChildScript<typeof api>(import.meta.url);
  return Object.assign(script, { port: await script.call("start") });
}

if (import.meta.main) serveParent(api);
