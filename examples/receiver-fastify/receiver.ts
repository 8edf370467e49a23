/** Receives notifications with Fastify. */

import {
  CertificateRefusedError,
  confirmSubscription,
  createCertificateFetcher,
  NotificationError,
  verifyNotification,
} from "@carillon/client";
import fastify from "fastify";

const { PORT = "8080", TOPIC_URN } = process.env;
const { CARILLON_URL = "http://127.0.0.1:7070" } = process.env;

// One for all requests: it remembers the certificates.
const fetchCertificate = createCertificateFetcher({
  allowedHosts: [new URL(CARILLON_URL).origin],
});

// A message has 256 KB at most, and some more when it is escaped.
const app = fastify({ bodyLimit: 2_000_000 });

// SMN does not promise a content type, so every body is taken as text.
app.removeAllContentTypeParsers();
app.addContentTypeParser(
  "*",
  { parseAs: "string" },
  async (_request: unknown, body: string) => body,
);

app.post<{ Body: string | undefined }>("/", async (request, reply) => {
  const received = await verifyNotification(request.body ?? "", {
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
  return reply.code(204).send();
});

app.setErrorHandler(async (error, _request, reply) => {
  console.error(error instanceof Error ? error.message : error);
  // After a 403 the service gives up, after a 503 it tries again.
  const isForged =
    error instanceof NotificationError ||
    error instanceof CertificateRefusedError;
  return reply.code(isForged ? 403 : 503).send();
});

const address = await app.listen({ host: "127.0.0.1", port: Number(PORT) });
console.log(`Listening on ${address}/`);
