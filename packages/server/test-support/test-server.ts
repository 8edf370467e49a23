/**
 * A whole server in memory: what really runs, on an in-memory store, a clock
 * that stands still, and channels that take everything.
 */

import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPullChannel,
  emailProtocol,
  httpProtocol,
  httpsProtocol,
  smsProtocol,
} from "@carillon/channels";
import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Engine,
  type LogFields,
  type Logger,
  type Message,
  type MessageContent,
  type Probe,
  type ProtocolDefinition,
  type PullChannel,
  type Recipient,
  type Store,
  type SubscriptionId,
  toEpochMs,
} from "@carillon/core";
import { Gateway } from "@carillon/gateway";
import { ManualClock, MemoryStore } from "@carillon/testing";
import type { RouteOptions } from "fastify";
import type { HttpApp } from "../src/api/http-app.ts";
import type { EmailEventPorts } from "../src/api/receivers/email-events.ts";
import { type CloseOptions, compose, type Service } from "../src/compose.ts";
import { loadConfig } from "../src/config.ts";
import type { IdentityCredentials } from "../src/identity/bootstrap.ts";
import type { Identity } from "../src/identity/identity.ts";
import { LiveSettings } from "../src/live-settings.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { createSubscriptionTokens } from "../src/subscription-tokens.ts";

export interface TestServerOptions {
  readonly store?: Store;
  /** A server that made the identity of the store already. */
  readonly beside?: TestServer;
  readonly sandbox?: Sandbox;
  /** Whose receivers carriers can call. */
  readonly gateway?: Gateway;
  /** Where services report on mails. */
  readonly emailEvents?: EmailEventPorts;
  /** A function: a port is known only once something listens. */
  readonly publicUrl?: string | (() => string);
  readonly requestTimeoutMs?: number;
  readonly trustedProxies?: readonly string[];
  readonly openMetrics?: boolean;
  readonly metricsToken?: string;
  /** Called with each line of the log, of all levels. */
  readonly onLine?: (event: string, fields: LogFields, level: string) => void;
  readonly allowedOrigins?: readonly string[];
  /** Of the configuration, such as `CARILLON_SMS_BATCH_ENABLED`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Leaves it as it is before it delivers: see `start`. */
  readonly unstarted?: boolean;
  readonly droppedLogLines?: () => number;
  /** What detections find; by default that all is well. */
  readonly probe?: Probe;
  /** What every attempt to deliver leads to. */
  readonly result?: AttemptResult;
  /** Makes the attempts in its place. */
  readonly deliver?: (
    signals: AttemptSignals | undefined,
  ) => Promise<AttemptResult>;
  /** Of status URLs; by default it refuses none. */
  readonly checkTargetNow?: (url: string) => void;
  /** Besides those that take everything. */
  readonly channels?: readonly (Channel | PullChannel)[];
  /** The one of a store that is given. */
  readonly clock?: ManualClock;
  /** Carries texts to phones in place of the one that takes everything. */
  readonly texts?: Channel;
  /** Carries mails in place of the one that takes everything. */
  readonly mails?: Channel;
  readonly maxConnections?: number;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
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
  readonly stored: Service["stored"];
  readonly credentials: IdentityCredentials;
  /** `Basic` credentials of the administrator's key pair. */
  readonly authorization: string;
  /** The domain of user and project. */
  readonly domainId: string;
  /** `/v2/{project}/notifications` */
  readonly base: string;
  /** The path by which a subscriber leaves who never left before. */
  leavePath(subscriptionUrn: string): string;
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
  /** Only with `unstarted`. */
  start(): Promise<void>;
  /** Waits for its clock, which stands still; then it is still to be disposed. */
  close(options?: CloseOptions): Promise<void>;
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
const testTokens = createSubscriptionTokens(testKey);

/** The token of the link in a notice, or its code. */
export function tokenIn(content: MessageContent | undefined): string {
  if (!content || !("grant" in content)) throw new Error("It is no notice.");
  return "byCode" in content
    ? testTokens.confirmationCode(content.grant)
    : testTokens.confirmationToken(content.grant);
}

const certificatePem =
  "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
export const certificateId = `SMN_${testRegion}_${"0f".repeat(16)}.pem`;

const testCertificate = {
  certificateId,
  certificate: certificatePem,
  current: true,
  notBefore: toEpochMs(0),
  notAfter: toEpochMs(1),
};

export async function startTestServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { publicUrl } = options;
  const clock = options.beside?.clock ?? options.clock ?? new ManualClock();
  const store =
    options.store ?? options.beside?.store ?? new MemoryStore({ clock });
  const complaints: { event: string; fields: LogFields }[] = [];
  const sent: SentMessage[] = [];
  const routes: RouteOptions[] = [];
  const data = join(
    tmpdir(),
    `carillon-test-${randomBytes(8).toString("hex")}`,
  );
  const deliver =
    options.deliver ??
    (async () =>
      options.result ?? ({ outcome: "delivered", statusCode: 200 } as const));
  const service = await compose(
    {
      store,
      clock,
      logger: noteComplaints(complaints, options.onLine),
      random: () => 0.5,
      key: testKey,
      channels: [
        noteDeliveries(
          [
            httpProtocol,
            httpsProtocol,
            ...(options.mails ? [] : [emailProtocol]),
          ],
          "push",
          sent,
          deliver,
        ),
        ...(options.mails ? [options.mails] : []),
        options.texts ??
          noteDeliveries([smsProtocol], "billable", sent, deliver),
        createPullChannel(),
        ...(options.channels ?? []),
      ],
      gateway: options.gateway ?? new Gateway(),
      sandbox: options.sandbox,
      emailEvents: options.emailEvents,
      probe:
        options.probe ??
        (async () => ({ kind: "answered", statusCode: 204, text: "" })),
      checkTarget: async () => {},
      checkTargetNow: options.checkTargetNow ?? (() => {}),
      certificates: {
        find: async (id) => (id === certificateId ? certificatePem : undefined),
        list: async () => [testCertificate],
        rotate: async () => certificateId,
      },
      publicUrl: typeof publicUrl === "function" ? publicUrl : () => publicUrl,
      onCredentials: async () => {},
      onIdentityChanged: async () => {},
      requestTimeoutMs: options.requestTimeoutMs,
      droppedLogLines: options.droppedLogLines ?? (() => 0),
      onRoute: (route) => routes.push(route),
    },
    new LiveSettings(
      loadConfig({
        env: options.env ?? {},
        flags: {
          data,
          region: testRegion,
          topicsPerProject: 150,
          trustedProxies: options.trustedProxies ?? [],
          openMetrics: options.openMetrics ?? false,
          allowedOrigins: options.allowedOrigins ?? [],
          ...(options.metricsToken !== undefined && {
            metricsToken: options.metricsToken,
          }),
          smsProviders: ["null"],
          ...(options.maxConnections !== undefined && {
            maxConnections: options.maxConnections,
          }),
        },
      }),
    ),
    { signal: options.signal, withApp: true },
  );
  const credentials = service.credentials ?? options.beside?.credentials;
  if (!credentials) throw new Error("The first start made no credentials.");
  const { accessKey, secretKey, project } = credentials;
  const { engine, identity, stored } = service;
  const app = await service.openApp();
  if (!options.unstarted) await service.start();
  const [domain] = await store.listDomains();
  const authorization = `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString("base64")}`;

  return {
    app,
    routes,
    store,
    clock,
    engine,
    identity,
    stored,
    credentials,
    authorization,
    domainId: domain?.id ?? "",
    base: `/v2/${project.id}/notifications`,
    leavePath: (urn) =>
      `/u/${testTokens.unsubscribeToken({
        subscriptionId: urn.slice(-32) as SubscriptionId,
        generation: 0,
      })}`,
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
    start: () => service.start(),
    close: (how) => service.close(how),
    async [Symbol.asyncDispose]() {
      const closed = Promise.resolve(service[Symbol.asyncDispose]());
      let isClosed = false;
      void closed.finally(() => {
        isClosed = true;
      });
      // What waits for the clock while it drains gets its time.
      while (!isClosed) await clock.advanceSettled(1000);
      await closed;
      await rm(data, { recursive: true, force: true });
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
  protocols: readonly ProtocolDefinition[],
  kind: Channel["kind"],
  sent: SentMessage[],
  deliver: NonNullable<TestServerOptions["deliver"]>,
): Channel {
  return {
    name: `test-${protocols.map(({ name }) => name).join("-")}`,
    protocols,
    kind,
    timeoutMs: 5000,
    prepare: (message) => ({
      deliver(recipient, signals) {
        sent.push({ message, recipient });
        return deliver(signals);
      },
    }),
    async close() {},
  };
}

function noteComplaints(
  complaints: { event: string; fields: LogFields }[],
  onLine: NonNullable<TestServerOptions["onLine"]> = () => {},
): Logger {
  const pass =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      onLine(event, fields, level);
  const note =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      onLine(event, fields, level);
      complaints.push({ event, fields });
    };
  const logger: Logger = {
    debug: pass("debug"),
    info: pass("info"),
    warn: note("warn"),
    error: note("error"),
    child: () => logger,
  };
  return logger;
}
