/**
 * A whole server in memory: the real app, identity and engine on an in-memory
 * store, a clock that stands still, and a channel that takes everything.
 */

import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AttemptResult,
  type Channel,
  createDetections,
  createEngine,
  createResourceTags,
  createSubscriptions,
  createSubscriptionUsers,
  createTemplates,
  createTimeOrderedIds,
  createTopicAccess,
  createTopicBindings,
  createTopics,
  type Engine,
  type LogFields,
  type Logger,
  type Message,
  type Probe,
  type Recipient,
  type Store,
} from "@carillon/core";
import { createEmbeddedDispatcher } from "@carillon/dispatch";
import type { Gateway } from "@carillon/gateway";
import { ManualClock, MemoryStore } from "@carillon/testing";
import type { RouteOptions } from "fastify";
import type { HttpApp } from "../src/api/http-app.ts";
import { createApp } from "../src/app.ts";
import { DeliveryLog } from "../src/delivery-log/delivery-log.ts";
import { createAdministration } from "../src/identity/administration/administration.ts";
import {
  bootstrapIdentity,
  type IdentityCredentials,
} from "../src/identity/bootstrap.ts";
import { createIdentity, type Identity } from "../src/identity/identity.ts";
import { createContentSeal } from "../src/keys/content-seal.ts";
import { openKeys } from "../src/keys/keys.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";

export interface TestServerOptions {
  readonly store?: Store;
  readonly sandbox?: Sandbox;
  /** Whose receivers carriers can call. */
  readonly gateway?: Gateway;
  readonly publicUrl?: string;
  readonly isReady?: () => boolean;
  /** What detections find; by default that all is well. */
  readonly probe?: Probe;
  /** What every attempt to deliver leads to. */
  readonly result?: AttemptResult;
}

export interface SentMessage {
  readonly message: Message;
  readonly recipient: Recipient;
}

export interface TestServer extends AsyncDisposable {
  readonly app: HttpApp;
  /** All that are registered, in their order. */
  readonly routes: readonly RouteOptions[];
  readonly store: Store;
  readonly clock: ManualClock;
  readonly engine: Engine;
  readonly identity: Identity;
  readonly credentials: IdentityCredentials & {
    readonly user: { readonly password: string };
  };
  /** `Basic` credentials of the administrator's key pair. */
  readonly authorization: string;
  /** `/v2/{project}/notifications` */
  readonly base: string;
  /** What channels were handed. */
  readonly sent: readonly SentMessage[];
  /** What was logged as warning or error. */
  readonly complaints: readonly { event: string; fields: LogFields }[];
  /** Calls with the administrator's key pair and a JSON body. */
  call(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    body?: unknown,
  ): Promise<Answer>;
  topicUrn(name: string): string;
  /** Answers the port of 127.0.0.1 it listens on from now on. */
  listen(): Promise<number>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
  readonly body: any;
}

export const testKey = new Uint8Array(32).fill(7);
export const testRegion = "test-1";

const certificatePem =
  "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
export const certificateId = `SMN_${testRegion}_${"0f".repeat(16)}.pem`;

const testCertificate = {
  certificateId,
  certificate: certificatePem,
  current: true,
  notBefore: 0,
  notAfter: 1,
};

export async function startTestServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  const clock = new ManualClock();
  const store = options.store ?? new MemoryStore();
  const newId = createTimeOrderedIds(() => clock.now(), randomBytes);
  const complaints: { event: string; fields: LogFields }[] = [];
  const logger = noteComplaints(complaints);
  const dispatcher = createEmbeddedDispatcher();
  const topics = createTopics(
    { store, clock, newId },
    { region: testRegion, quota: 150 },
  );
  const subscriptions = createSubscriptions({
    store,
    topics,
    dispatcher,
    clock,
    newId,
    newMessageId: newId,
    newToken: () => randomBytes(32).toString("hex"),
    isBillable: (protocol) => protocol === "sms",
    checkTarget: async () => {},
    logger,
  });
  const sent: SentMessage[] = [];
  const keys = await openKeys({ settings: store, key: testKey, clock });
  const seal = createContentSeal({ store, keys });
  const logs = join(
    tmpdir(),
    `carillon-test-${randomBytes(8).toString("hex")}`,
  );
  const deliveryLog = new DeliveryLog({ folder: logs, store, logger });
  const engine = createEngine({
    store,
    topics,
    dispatcher,
    channels: [noteDeliveries(sent, options.result)],
    clock,
    logger,
    listener: deliveryLog,
    seal,
    random: () => 0.5,
    newId,
    newMessageId: newId,
  });
  let credentials: IdentityCredentials | undefined;
  await bootstrapIdentity(
    {
      store,
      newId,
      clock,
      key: testKey,
      tell: async (told) => {
        credentials = told;
      },
    },
    { region: testRegion },
  );
  if (!credentials) throw new Error("The first start told no credentials.");
  const { accessKey, secretKey, project, user } = credentials;
  const identity = createIdentity({ store, clock, logger, key: testKey });
  const routes: RouteOptions[] = [];
  const app = createApp({
    onRoute: (route) => routes.push(route),
    store,
    topics,
    access: createTopicAccess({ store, topics }),
    templates: createTemplates({ store, clock, newId }),
    resourceTags: createResourceTags({ store }, { region: testRegion }),
    subscriptions,
    publisher: engine.publisher,
    subscriptionUsers: createSubscriptionUsers({
      store,
      subscriptions,
      clock,
      newId,
    }),
    bindings: createTopicBindings({ store, topics, clock, newId }),
    keys,
    seal,
    deliveryLog,
    detections: createDetections({
      topics,
      clock,
      newId,
      probe:
        options.probe ??
        (async () => ({ kind: "answered", statusCode: 204, text: "" })),
    }),
    identity,
    administration: createAdministration({
      store,
      identity,
      clock,
      newId,
      key: testKey,
    }),
    certificates: {
      find: async (id) => (id === certificateId ? certificatePem : undefined),
      list: async () => [testCertificate],
      rotate: async () => certificateId,
    },
    engineStatus: () => engine.status(),
    logger,
    clock,
    region: testRegion,
    publicUrl: () => options.publicUrl,
    version: "0.0.0-test",
    isReady: options.isReady ?? (() => true),
    sandbox: options.sandbox,
    receivers: options.gateway && {
      gateway: options.gateway,
      secret: credentials.receiverSecret,
    },
  });
  await engine.start();
  await app.ready();
  const authorization = `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString("base64")}`;

  return {
    app,
    routes,
    store,
    clock,
    engine,
    identity,
    credentials: {
      ...credentials,
      user: { ...user, password: user.password ?? "" },
    },
    authorization,
    base: `/v2/${project.id}/notifications`,
    sent,
    complaints,
    async call(method, url, body) {
      const response = await app.inject({
        method,
        url,
        headers: {
          authorization,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      });
      return {
        status: response.statusCode,
        headers: response.headers,
        body: parse(response.body),
      };
    },
    async listen() {
      const url = await app.listen({ port: 0, host: "127.0.0.1" });
      return Number(new URL(url).port);
    },
    topicUrn: (name) => `urn:smn:${testRegion}:${project.id}:${name}`,
    async [Symbol.asyncDispose]() {
      await app.close();
      await Promise.all([engine.drain(0), clock.advanceSettled(1)]);
      await dispatcher.close();
      await deliveryLog[Symbol.asyncDispose]();
      await rm(logs, { recursive: true, force: true });
    },
  };
}

/** The body as JSON where it is JSON. */
export function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function noteDeliveries(
  sent: SentMessage[],
  result: AttemptResult = { outcome: "delivered", statusCode: 200 },
): Channel {
  return {
    name: "test",
    protocols: ["http", "https", "email", "sms"],
    billable: false,
    timeoutMs: 5000,
    prepare: (message) => ({
      async deliver(recipient) {
        sent.push({ message, recipient });
        return result;
      },
    }),
    async close() {},
  };
}

function noteComplaints(
  complaints: { event: string; fields: LogFields }[],
): Logger {
  const note = (event: string, fields: LogFields = {}) => {
    complaints.push({ event, fields });
  };
  const logger: Logger = {
    debug() {},
    info() {},
    warn: note,
    error: note,
    child: () => logger,
  };
  return logger;
}
