/** Every channel of ours keeps the contract, against receivers on this machine. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { silentLogger, systemClock } from "@carillon/core";
import {
  Gateway,
  MessageSendError,
  type OutgoingMessage,
  Provider,
  type SendContext,
} from "@carillon/gateway";
import {
  type ChannelUnderTest,
  testChannelContract,
} from "@carillon/testing/channel-contract";
import { SMTPServer } from "smtp-server";
import { createEgressGuard } from "./egress/egress-guard.ts";
import { createEmailChannel } from "./email/channel.ts";
import { emailProtocol } from "./email/protocol.ts";
import { message, recipient, tokens } from "./fixtures.test.ts";
import { createHttpChannel } from "./http/channel.ts";
import { WebhookKeys } from "./http/webhook-keys.ts";
import { createLinks } from "./links.ts";
import { createReplaceableChannel } from "./replaceable-channel.ts";
import { createSmsChannel } from "./sms/channel.ts";

const timeoutMs = 300;
/** A fifth of it is for a connection, and the first mail loads what speaks SMTP. */
const mailTimeoutMs = 2000;
const links = createLinks({
  publicUrl: () => "https://notify.example",
  region: "eu-de",
  tokens,
});

testChannelContract("http", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/refusing") response.writeHead(500);
    if (request.url !== "/silent") response.end();
  });
  const origin = await listen(server);
  return {
    channel: createHttpChannel({
      egress: createEgressGuard({ allowTargets: ["127.0.0.0/8"] }),
      signer: {
        sign: async () => ({ certificateId: "c", signature: "s" }),
      },
      webhookKeys: new WebhookKeys(Buffer.alloc(32, 7)),
      links,
      clock: systemClock,
      logger: silentLogger,
      timeoutMs,
    }),
    message: message(),
    answering: recipient("http", `${origin}/answering`),
    refusing: recipient("http", `${origin}/refusing`),
    silent: recipient("http", `${origin}/silent`),
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
});

testChannelContract("email", async () => await openMail());

testChannelContract("a replaceable channel", async () => {
  const { channel: inner, ...given } = await openMail();
  const { name, kind } = inner;
  const protocols = [emailProtocol];
  const channel = createReplaceableChannel({
    name,
    protocols,
    kind,
    timeoutMs: mailTimeoutMs,
  });
  channel.replace(inner);
  return { ...given, channel };
});

async function openMail(): Promise<ChannelUnderTest> {
  const sockets = new Set<Socket>();
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onRcptTo({ address }, _session, done) {
      if (address.startsWith("silent")) return;
      const refusal = Object.assign(new Error("no such box"), {
        responseCode: 550,
      });
      done(address.startsWith("refusing") ? refusal : null);
    },
    onData(stream, _session, done) {
      stream.resume();
      stream.on("end", () => done());
    },
  });
  smtp.on("error", () => {});
  smtp.server.on("connection", (socket) => sockets.add(socket));
  smtp.listen(0, "127.0.0.1");
  await once(smtp.server, "listening");
  const { port } = smtp.server.address() as AddressInfo;
  return {
    channel: createEmailChannel({
      smtpUrl: `smtp://127.0.0.1:${port}`,
      from: "noreply@carillon.example",
      links,
      logger: silentLogger,
      timeoutMs: mailTimeoutMs,
    }),
    message: message(),
    answering: recipient("email", "answering@example.com"),
    refusing: recipient("email", "refusing@example.com"),
    silent: recipient("email", "silent@example.com"),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
    },
  };
}

/** Answers by the last digit of the number. */
class NumberedCarrier extends Provider {
  override async send(
    outgoing: OutgoingMessage,
    context: SendContext = {},
  ): Promise<OutgoingMessage> {
    if (outgoing.dst.endsWith("1")) throw new MessageSendError("no such phone");
    if (outgoing.dst.endsWith("2")) {
      await new Promise((_, reject) => {
        context.signal?.addEventListener("abort", () =>
          reject(context.signal?.reason),
        );
      });
    }
    outgoing.msgid = "7";
    return outgoing;
  }
}

testChannelContract("sms", async () => {
  const gateway = new Gateway();
  gateway.addProvider("carrier", new NumberedCarrier());
  return {
    channel: createSmsChannel({
      gateway,
      links,
      logger: silentLogger,
      timeoutMs,
    }),
    message: message(),
    answering: recipient("sms", "+15550100000"),
    refusing: recipient("sms", "+15550100001"),
    silent: recipient("sms", "+15550100002"),
    close: async () => await gateway.stop(),
  };
});

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
