/** A server whose texts go through providers that keep what they were given. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLinks, createSmsChannel } from "@carillon/channels";
import { silentLogger } from "@carillon/core";
import {
  Gateway,
  type IncomingMessage,
  type MessageStatus,
  type OutgoingMessage,
  Provider,
} from "@carillon/gateway";
import { openSqliteStore } from "@carillon/storage";
import { ManualClock } from "@carillon/testing";
import { createSubscriptionTokens } from "../src/subscription-tokens.ts";
import { startTestServer, testKey, testRegion } from "./test-server.ts";

const url = "/api/v2/messages";
const direct = {
  kind: "direct",
  recipients: [{ protocol: "sms", endpoint: "+4915112345678" }],
};

/** Keeps what it was given, and makes a mess of its parameters afterwards. */
export class RecordingProvider extends Provider {
  readonly given: ReturnType<typeof wishesOf>[] = [];
  readonly texts: string[] = [];

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.given.push(wishesOf(message));
    this.texts.push(message.body);
    message.providerParams.campaign = "spent";
    message.msgid = `${this.name}-${this.given.length}`;
    return message;
  }

  /** As a carrier's receipt of a text that it took. */
  async report(status: MessageStatus): Promise<void> {
    await this.receiveStatus(status);
  }

  /** As a text that a phone sent. */
  async bring(message: IncomingMessage): Promise<void> {
    await this.receiveMessage(message);
  }
}

function wishesOf({
  dst,
  choice,
  providerOptions,
  providerParams,
}: OutgoingMessage) {
  return {
    dst,
    by: choice?.by,
    ...providerOptions,
    params: structuredClone(providerParams),
  };
}

/** With the real store, the real channel, and the providers `one`, the default, and `two`. */
export async function startTextServer() {
  const folder = await mkdtemp(join(tmpdir(), "carillon-texts-"));
  const clock = new ManualClock();
  const store = await openSqliteStore({ folder, clock });
  const gateway = new Gateway();
  const one = gateway.addProvider("one", new RecordingProvider());
  const two = gateway.addProvider("two", new RecordingProvider());
  const texts = createSmsChannel({
    gateway,
    links: createLinks({
      publicUrl: () => "https://notify.example",
      tokens: createSubscriptionTokens(testKey),
      region: testRegion,
    }),
    logger: silentLogger,
  });
  const server = await startTestServer({ store, clock, gateway, texts });
  const { call, base } = server;
  /** Looks again until there is something to see. */
  async function until<Value>(
    look: () => Value | undefined | Promise<Value | undefined>,
  ): Promise<Value> {
    for (const end = Date.now() + 20_000; Date.now() < end; ) {
      const seen = await look();
      if (seen !== undefined) return seen;
      await clock.advanceSettled(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail("It was not to be seen.");
  }
  return {
    server,
    gateway,
    one,
    two,
    clock,
    call,
    base,
    until,
    async send(body: object) {
      const answer = await call("POST", url, {
        audience: direct,
        text: "x",
        ...body,
      });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body.id as string;
    },
    /** What the provider was given, once it was given so many. */
    given: (provider: RecordingProvider, count: number) =>
      until(() =>
        provider.given.length >= count ? provider.given : undefined,
      ),
    delivery: (id: string, isSeen: (delivery: { state: string }) => boolean) =>
      until(async () => {
        const { body } = await call("GET", `${url}/${id}/deliveries`);
        const [delivery] = body.deliveries;
        return isSeen(delivery) ? delivery : undefined;
      }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
