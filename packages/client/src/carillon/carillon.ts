/** Carillon's own API, `/api/v2`, beside SMN's. */

import type { Api } from "../api.ts";
import type { FollowOptions } from "../followed-stream.ts";
import { type JsonObject, readText } from "../json.ts";
import { createPullQueue, type PullQueue } from "../pull/pull-queue.ts";
import type { RequestOptions } from "../transport.ts";
import { type AccessKeys, createAccessKeys } from "./access-keys.ts";
import { type Audit, createAudit } from "./audit.ts";
import { type Batches, createBatches } from "./batches.ts";
import { type Certificates, createCertificates } from "./certificates.ts";
import { type Configuration, createConfiguration } from "./configuration.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import { createDeliveryJobs, type DeliveryJobs } from "./delivery-jobs.ts";
import { createDomains, type Domains } from "./domains.ts";
import {
  createEmailSuppressions,
  type EmailSuppressions,
} from "./email-suppressions.ts";
import { createEmails, type Emails } from "./emails.ts";
import { type CarillonEvent, createEvents, type EventQuery } from "./events.ts";
import { createGuards, type Guards } from "./guards.ts";
import { createImports, type Imports } from "./imports.ts";
import { createInbound, type Inbound } from "./inbound.ts";
import { createKeys, type Keys } from "./keys.ts";
import { createMessages, type Messages } from "./messages.ts";
import { type CarillonRequest, toApiRequest } from "./operation-path.ts";
import { createOptOuts, type OptOuts } from "./opt-outs.ts";
import { createProjects, type Projects } from "./projects.ts";
import { createProviders, type Providers } from "./providers.ts";
import { createPublishers, type Publishers } from "./publishers.ts";
import { createSandbox, type Sandbox } from "./sandbox.ts";
import { createSignatures, type Signatures } from "./signatures.ts";
import { createSms, type Sms } from "./sms.ts";
import { createSubscribers, type Subscribers } from "./subscribers.ts";
import { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
import { createStoredTemplates, type StoredTemplates } from "./templates.ts";
import { createUsers, type Users } from "./users.ts";

/** Fields that are not named here are passed on as the server sends them. */
export interface Caller extends JsonObject {
  readonly userId: string;
  readonly userName: string;
  readonly domainId: string;
  readonly role: string;
  /** Absent for credentials without a project. */
  readonly projectId?: string | undefined;
  readonly region: string;
}

/** What Carillon offers beyond SMN. */
export interface Carillon {
  /**
   * Events of the project as they happen, until the loop is left or the signal
   * aborts. A connection that breaks is opened again where it was; nothing is
   * lost or told twice.
   */
  events(
    query?: EventQuery,
    options?: FollowOptions,
  ): AsyncGenerator<CarillonEvent, void, undefined>;
  /**
   * The mailbox of that name, or the one that the subscription of that id or URN
   * fills.
   */
  pull(mailbox: string): PullQueue;
  /** Accounts that publish by categories. */
  readonly publishers: Publishers;
  /** Mailboxes, and what they follow. */
  readonly subscribers: Subscribers;
  /** What happened to what was published. */
  readonly messages: Messages;
  /** Single deliveries, to be sent again, cancelled or settled. */
  readonly deliveries: Deliveries;
  /** The same for all deliveries that match a filter. */
  readonly deliveryJobs: DeliveryJobs;
  /** What phones wrote. */
  readonly inbound: Inbound;
  /** What texts and mails are made from. */
  readonly templates: StoredTemplates;
  /** Keys that topics' messages are encrypted with at rest. */
  readonly keys: Keys;
  /** Of every protocol, mailboxes too. */
  readonly subscriptions: Subscriptions;
  /** How messages to http and https subscriptions are signed. */
  readonly signatures: Signatures;
  /** What came to the receivers of a server for trying things out. */
  readonly sandbox: Sandbox;
  /** The rest is for administrators and operators. */
  readonly users: Users;
  readonly projects: Projects;
  readonly domains: Domains;
  readonly accessKeys: AccessKeys;
  /** Messages that other programs sent. */
  readonly imports: Imports;
  /** By which receivers verify messages. */
  readonly certificates: Certificates;
  /** The server's own. */
  readonly configuration: Configuration;
  /** Who logged in, and who changed what. */
  readonly audit: Audit;
  /** Who does not want texts. */
  readonly optOuts: OptOuts;
  /** Who gets no mails. */
  readonly emailSuppressions: EmailSuppressions;
  /** What holds texts before a carrier gets them. */
  readonly guards: Guards;
  /** Carriers that texts go through. */
  readonly providers: Providers;
  /** Texts to one phone each, kept and found again. */
  readonly sms: Sms;
  /** What a scheduler has done. */
  readonly batches: Batches;
  /** The same for mails. */
  readonly emails: Emails;
  /** Who these credentials are. */
  whoami(options?: RequestOptions): Promise<Caller>;
  /**
   * Any other operation. Answers its JSON.
   *
   * ```ts
   * await carillon.request({ method: "GET", path: "/messages?limit=1" });
   * ```
   *
   * @throws InvalidOptionsError for a path that is none
   */
  request(
    request: CarillonRequest,
    options?: RequestOptions,
  ): Promise<JsonObject>;
}

export function createCarillon(
  serviceApi: Api,
  streams: Api<Response>,
): Carillon {
  const api: Api = (request, options) =>
    serviceApi({ ...request, path: ["api", "v2", ...request.path] }, options);
  const streamApi: Api<Response> = (request, options) =>
    streams({ ...request, path: ["api", "v2", ...request.path] }, options);
  return {
    events: createEvents(streamApi),
    pull: (mailbox) => createPullQueue(api, streamApi, mailbox),
    publishers: createPublishers(api),
    subscribers: createSubscribers(api),
    messages: createMessages(api),
    deliveries: createDeliveries(api),
    deliveryJobs: createDeliveryJobs(api),
    imports: createImports(api),
    inbound: createInbound(api),
    templates: createStoredTemplates(api),
    keys: createKeys(api),
    subscriptions: createSubscriptions(api),
    signatures: createSignatures(api),
    sandbox: createSandbox(api),
    users: createUsers(api),
    projects: createProjects(api),
    domains: createDomains(api),
    accessKeys: createAccessKeys(api),
    certificates: createCertificates(api),
    configuration: createConfiguration(api),
    audit: createAudit(api),
    optOuts: createOptOuts(api),
    emailSuppressions: createEmailSuppressions(api),
    guards: createGuards(api),
    providers: createProviders(api),
    sms: createSms(api),
    batches: createBatches(api),
    emails: createEmails(api),
    async whoami(options) {
      const { body } = await api({ method: "GET", path: ["whoami"] }, options);
      return {
        ...body,
        userId: readText(body, "userId"),
        userName: readText(body, "userName"),
        domainId: readText(body, "domainId"),
        role: readText(body, "role"),
        region: readText(body, "region"),
      };
    },
    async request(request, options) {
      return (await api(toApiRequest(request), options)).body;
    },
  };
}
