/** What is loaded on the first request is loaded again when that failed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, MemoryStore } from "@carillon/testing";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";
import { DeliveryMeter } from "../metrics/delivery-meter.ts";
import { LoginMeter } from "../metrics/login-meter.ts";
import { createMetricsText } from "../metrics/metrics-text.ts";
import { QueueMeter } from "../metrics/queue-meter.ts";
import { RequestMeter } from "../metrics/request-meter.ts";
import type { HttpApp } from "./http-app.ts";
import { metricsRoutes } from "./operations/metrics.ts";
import { describeRoutes } from "./v2/openapi.ts";

/** A text that cannot be read while it is broken. */
class BreakableText {
  isBroken = false;

  get text(): string {
    if (this.isBroken) throw new Error("no file left to open");
    return "text";
  }
}

function createApp(): HttpApp {
  return fastify().withTypeProvider<TypeBoxTypeProvider>();
}

async function assertIsTriedAgain(
  app: HttpApp,
  url: string,
  part: BreakableText,
): Promise<void> {
  part.isBroken = true;
  assert.equal((await app.inject({ url })).statusCode, 500);
  part.isBroken = false;
  const { statusCode, body } = await app.inject({ url });
  assert.equal(statusCode, 200, body);
}

test("metrics are shown after a failure to load them", async () => {
  await using app = createApp();
  const version = new BreakableText();
  const metricsText = createMetricsText({
    store: new MemoryStore(),
    clock: new ManualClock(),
    engineStatus: () => ({
      inFlight: 0,
      activeRanges: 0,
      accepted: 0,
      attempts: 0,
      outcomes: {},
      polls: [],
    }),
    mailboxStatus: () => ({ waiting: 0, streams: 0 }),
    queue: new QueueMeter(),
    requests: new RequestMeter(),
    deliveries: new DeliveryMeter({ all: [] }),
    logins: new LoginMeter(),
    events: { count: 0, dropped: 0 },
    droppedLogLines: () => 0,
    get version() {
      return version.text;
    },
  });
  metricsRoutes(app, { metricsText, openMetrics: true });
  await assertIsTriedAgain(app, "/metrics", version);
});

test("the description of the API is shown after a failure to make it", async () => {
  await using app = createApp();
  describeRoutes(app, "1");
  const summary = new BreakableText();
  app.get(
    "/things",
    {
      schema: {
        get summary() {
          return summary.text;
        },
      },
    },
    async () => "",
  );
  await app.ready();
  await assertIsTriedAgain(app, "/openapi.json", summary);
});
