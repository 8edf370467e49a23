/** A mail server and a channel that the tests of e-mail share; no tests here. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Message,
  silentLogger,
} from "@carillon/core";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { message, recipient, tokens } from "../fixtures.test.ts";
import { createLinks } from "../links.ts";
import { createEmailChannel, type EmailChannelOptions } from "./channel.ts";

/** A mail that the server of a test took. */
export interface ReceivedMail {
  /** As it came, headers and all. */
  readonly raw: Buffer;
  readonly mail: Email;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

export async function startServer(
  t: TestContext,
  options: SMTPServerOptions = {},
): Promise<{
  url: string;
  mails(): Promise<readonly ReceivedMail[]>;
  only(): Promise<ReceivedMail>;
  connections(): number;
  onConnection(listener: (socket: Socket) => void): void;
  close(): Promise<void>;
}> {
  const received: Promise<ReceivedMail>[] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 1,
    onConnect(_session, callback) {
      connections++;
      callback();
    },
    async onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const { mailFrom, rcptTo } = envelope;
      received.push(
        parse(Buffer.concat(chunks), {
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
        }),
      );
      callback();
    },
    ...options,
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const close = () => new Promise<void>((resolve) => server.close(resolve));
  t.after(close);
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails: () => Promise.all(received),
    async only() {
      assert.equal(received.length, 1);
      return (await received[0]) ?? assert.fail();
    },
    connections: () => connections,
    onConnection: (listener) => server.server.on("connection", listener),
    close,
  };
}

async function parse(
  raw: Buffer,
  envelope: ReceivedMail["envelope"],
): Promise<ReceivedMail> {
  const mail = await PostalMime.parse(raw);
  return {
    raw,
    mail,
    envelope,
    headers: Object.fromEntries(
      mail.headers.map(({ key, value }) => [key, value]),
    ),
  };
}

/** An SMTP server down to its sockets, for what a real one would not do. */
export async function startRawServer(
  t: TestContext,
  onConnection: (socket: Socket) => void,
): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function refusing(
  command: "onMailFrom" | "onRcptTo" | "onData",
  reply: number,
  reason: string,
): SMTPServerOptions {
  const error = smtpError(reply, reason);
  if (command === "onData") {
    return {
      onData(stream, _session, callback) {
        stream.resume().on("end", () => callback(error));
      },
    };
  }
  return {
    [command]: (_a: unknown, _s: unknown, callback: (e: Error) => void) =>
      callback(error),
  };
}

export function smtpError(responseCode: number, reason: string): Error {
  return Object.assign(new Error(reason), { responseCode });
}

export function createChannel(
  t: TestContext,
  smtpUrl: string,
  options: Partial<EmailChannelOptions> = {},
): Channel {
  const channel = createEmailChannel({
    smtpUrl,
    from: "noreply@carillon.example",
    links: createLinks({
      publicUrl: () => "https://notify.example",
      tokens,
      region: "eu-de",
    }),
    logger: silentLogger,
    ...options,
  });
  t.after(() => channel.close());
  return channel;
}

export type Result = AttemptResult & { readonly errorClass?: string };

export async function deliver(
  channel: Channel,
  mail: Message = message(),
  signals?: AttemptSignals,
): Promise<Result> {
  const prepared = await channel.prepare(mail);
  return prepared.deliver(recipient("email", "ann@example.com"), signals);
}
