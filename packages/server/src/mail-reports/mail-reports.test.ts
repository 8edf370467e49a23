/** The real service with a mail server that takes all, and bounces that come back. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RecordingLogger } from "@carillon/testing";
import { SMTPServer } from "smtp-server";
import { Webhook } from "standardwebhooks";
import { exchangeDsn } from "../../test-support/mail-reports.ts";
import { connectSmtp } from "../../test-support/smtp-client.ts";
import { loadConfig } from "../config.ts";
import { serve } from "../serve.ts";

const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

test("a bounce after a restart ends its mail, and the next one is not sent", async (t) => {
  const sink = await startSink(t);
  const data = await temporaryFolder(t);
  const flags = { data, smtpUrl: sink.url, emailBouncesPort: 0 };
  const first = await start(t, flags);
  const { authorization } = first;
  const id = await first.publish(["ann@example.org", "bob@example.org"]);
  assert.ok((await first.stateOf(`${id}-0`, "sent")).receiptExpected);
  await first.stateOf(`${id}-1`, "sent");
  await first.close();

  const next = await start(t, flags, authorization);
  const returnPath = sink.senderOf("ann@example.org");
  assert.match(returnPath, /^bounce\+[a-z0-9]+@bounces\.example$/);
  assert.notEqual(returnPath, sink.senderOf("bob@example.org"));
  await using client = await connectSmtp(next.bouncePort());
  const bounce = exchangeDsn(returnPath, "ann@example.org");
  assert.match(await client.send(returnPath, bounce), /^250 /);

  const bounced = await next.stateOf(`${id}-0`, "rejected");
  assert.equal(bounced.receipts[0].code, "5.1.10");
  assert.match(bounced.receipts[0].text, /^bounced \(hard\): 550 5\.1\.10 /);
  const { events } = await next.get(`deliveries/${id}-0/mail-events`);
  assert.match(events[0].raw, /RecipientNotFound|^From: MAILER-DAEMON/);
  await next.stateOf(`${id}-1`, "sent");

  const again = await next.publish(["ANN@example.org", "bob@example.org"]);
  const left = await next.stateOf(`${again}-0`, "suppressed");
  assert.match(left.error, /on the suppression list: a mail to it came back/);
  await next.stateOf(`${again}-1`, "sent");
  assert.equal(sink.mails.length, 3);
});

test("a signed event of a service does the same", async (t) => {
  const sink = await startSink(t);
  const data = await temporaryFolder(t);
  const carillon = await start(t, { data, smtpUrl: sink.url });
  const id = await carillon.publish(["ann@example.org"]);
  await carillon.stateOf(`${id}-0`, "sent");
  const messageId = sink.mails[0]?.messageId ?? "";
  const body = JSON.stringify({ events: [{ event: "delivered", messageId }] });
  const at = new Date();
  const response = await fetch(
    `${carillon.url}/receivers/${carillon.receiverSecret}/email/events`,
    {
      method: "POST",
      headers: {
        "webhook-id": "msg_1",
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": new Webhook(secret).sign("msg_1", at, body),
      },
      body,
    },
  );
  const expected = { received: 1, kept: 1, repeated: 0, unknown: 0 };
  assert.deepEqual(await response.json(), expected);
  await carillon.stateOf(`${id}-0`, "delivered");
});

test("a bounce of a mail that a named backend sent ends it, too", async (t) => {
  const sink = await startSink(t);
  const data = await temporaryFolder(t);
  const backend = { type: "smtp", name: "bulk", smtpUrl: sink.url };
  const carillon = await start(t, {
    data,
    // Nothing listens there.
    smtpUrl: "smtp://127.0.0.1:9",
    emailBouncesPort: 0,
    emailBackends: JSON.stringify([backend]),
  });
  const response = await fetch(`${carillon.url}/api/v2/emails`, {
    method: "POST",
    headers: {
      authorization: carillon.authorization,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      to: "ann@example.org",
      text: "News",
      backend: "bulk",
    }),
  });
  const { id } = (await response.json()) as { id: string };
  const sent = await carillon.stateOf(id, "sent");
  assert.equal(sent.provider, "bulk");
  const returnPath = sink.senderOf("ann@example.org");
  await using client = await connectSmtp(carillon.bouncePort());
  const bounce = exchangeDsn(returnPath, "ann@example.org");
  assert.match(await client.send(returnPath, bounce), /^250 /);
  await carillon.stateOf(id, "rejected");
});

/** A running service; of a restart with the credentials of the first start. */
async function start(
  t: TestContext,
  flags: Readonly<Record<string, unknown>>,
  known?: string,
) {
  const logger = new RecordingLogger();
  const carillon = await serve(
    loadConfig({
      flags: {
        port: 0,
        emailBouncesDomain: "bounces.example",
        ...flags,
      },
      env: { CARILLON_EMAIL_WEBHOOK_SECRET: secret },
    }),
    { logger },
  );
  const close = () => carillon.close();
  t.after(close);
  const { credentials, url } = carillon;
  const authorization =
    known ??
    `Basic ${btoa(`${credentials?.accessKey}:${credentials?.secretKey}`)}`;
  const headers = { authorization, "content-type": "application/json" };

  // biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
  async function get(path: string): Promise<any> {
    const response = await fetch(`${url}/api/v2/${path}`, { headers });
    assert.ok(response.ok, await response.clone().text());
    return await response.json();
  }

  return {
    url,
    authorization,
    receiverSecret: credentials?.receiverSecret,
    close,
    get,
    bouncePort: () => Number(logger.of("bounces_taken")[0]?.port),
    async publish(addresses: readonly string[]): Promise<string> {
      const recipients = addresses.map((endpoint) => ({
        protocol: "email",
        endpoint,
      }));
      const response = await fetch(`${url}/api/v2/messages`, {
        method: "POST",
        headers,
        body: JSON.stringify({
          audience: { kind: "direct", recipients },
          text: "News",
        }),
      });
      const { id } = (await response.json()) as { id: string };
      return id;
    },
    /** Once it is in that state; it is asked until then. */
    async stateOf(id: string, state: string) {
      const deadline = performance.now() + 10_000;
      while (true) {
        const delivery = await get(`deliveries/${id}`);
        if (delivery.state === state) return delivery;
        assert.ok(performance.now() < deadline, JSON.stringify(delivery));
      }
    },
  };
}

/** A mail server that takes everything. */
async function startSink(t: TestContext) {
  const mails: { from: string; to: string; messageId: string }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 1,
    async onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      mails.push({
        from: envelope.mailFrom ? envelope.mailFrom.address : "",
        to: envelope.rcptTo[0]?.address ?? "",
        messageId: /^Message-ID: (\S+)/im.exec(text)?.[1] ?? "",
      });
      callback();
    },
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    senderOf: (to: string) => mails.find((it) => it.to === to)?.from ?? "",
  };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-mail-reports-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "data");
}
