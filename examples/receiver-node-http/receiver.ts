/** Receives notifications with nothing but `node:http`. */

import { createServer, type IncomingMessage } from "node:http";
import {
  CertificateRefusedError,
  confirmSubscription,
  createCertificateFetcher,
  NotificationError,
  verifyNotification,
} from "@carillon/client";

const { PORT = "8080", TOPIC_URN } = process.env;
const { CARILLON_URL = "http://127.0.0.1:7070" } = process.env;

// One for all requests: it remembers the certificates.
const fetchCertificate = createCertificateFetcher({
  allowedHosts: [new URL(CARILLON_URL).origin],
});

const server = createServer(async (request, response) => {
  try {
    await receive(await readBody(request));
    response.writeHead(204).end();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    // After a 403 the service gives up, after a 503 it tries again.
    response.writeHead(isForged(error) ? 403 : 503).end();
  }
});

async function receive(body: Uint8Array): Promise<void> {
  const received = await verifyNotification(body, {
    fetchCertificate,
    topicUrns: TOPIC_URN ? [TOPIC_URN] : undefined,
  });
  switch (received.type) {
    case "SubscriptionConfirmation":
      await confirmSubscription(received);
      console.log(`Subscribed to ${received.topicUrn}`);
      break;
    case "UnsubscribeConfirmation":
      console.log(`Unsubscribed from ${received.topicUrn}`);
      break;
    case "Notification":
      // May come twice; a program that minds remembers the message ids.
      console.log(`${received.messageId}: ${received.message}`);
      break;
  }
}

function isForged(error: unknown): boolean {
  return (
    error instanceof NotificationError ||
    error instanceof CertificateRefusedError
  );
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // A message has 256 KB at most, and some more when it is escaped.
    if (size > 2_000_000) throw new Error("The body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : PORT;
  console.log(`Listening on http://127.0.0.1:${port}/`);
});
