/** What the commands ask of the server, in its own words. */

import { type Answer, listOf, textOf } from "./answer.ts";
import { CommandFailure } from "./command-failure.ts";
import {
  type Connection,
  type ConnectionOptions,
  findConnection,
} from "./connection.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";

export interface Service {
  readonly http: HttpClient;
  createTopic(name: string, displayName: string): Promise<Answer>;
  listTopics(): Promise<readonly Answer[]>;
  showTopic(topic: string): Promise<Answer>;
  updateTopic(topic: string, displayName: string): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /**
   * The URN of a topic given by name or URN.
   *
   * @throws CommandFailure when the project has no topic of that name
   */
  topicUrn(topic: string): Promise<string>;
  subscribe(topic: string, subscription: NewSubscription): Promise<Answer>;
  /** Of one topic, or of all. */
  listSubscriptions(topic?: string): Promise<readonly Answer[]>;
  confirmSubscription(token: string): Promise<Answer>;
  deleteSubscription(urn: string): Promise<void>;
  publish(topic: string, message: NewMessage): Promise<string>;
  sendSms(number: string, text: string): Promise<string>;
  findMessage(id: string): Promise<Answer>;
  listDeliveries(id: string): Promise<readonly Answer[]>;
}

export interface NewSubscription {
  readonly protocol: string;
  readonly endpoint: string;
  readonly remark?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface NewMessage {
  readonly subject?: string;
  readonly text?: string;
  /** JSON text of an object from protocol to text. */
  readonly structure?: string;
  readonly timeToLiveSeconds?: number;
}

/** Finds the server and answers its service. */
export async function connect(options: ConnectionOptions): Promise<Service> {
  return createService(await findConnection(options, process.env));
}

export function createService(connection: Connection): Service {
  const http = createHttpClient(connection);
  let knownProject: Promise<string> | undefined;

  /** Path below the project, each part encoded. */
  async function inProject(...parts: readonly string[]): Promise<string> {
    knownProject ??= connection.projectId
      ? Promise.resolve(connection.projectId)
      : findProject(http);
    const path = parts.map(encodeURIComponent).join("/");
    return `/v2/${await knownProject}/notifications/${path}`;
  }

  async function topicUrn(topic: string): Promise<string> {
    if (topic.startsWith("urn:")) return topic;
    const path = await inProject("topics");
    const name = encodeURIComponent(topic);
    const answer = await http.request("GET", `${path}?name=${name}`);
    const found = listOf(answer, "topics").find((one) => one.name === topic);
    if (found) return textOf(found, "topic_urn");
    throw new CommandFailure(
      `There is no topic "${topic}": create it with carillon topic create ${topic}.`,
    );
  }

  const topicPath = async (topic: string, ...rest: readonly string[]) =>
    inProject("topics", await topicUrn(topic), ...rest);

  return {
    http,
    topicUrn,
    createTopic: async (name, displayName) =>
      http.request("POST", await inProject("topics"), {
        name,
        display_name: displayName,
      }),
    listTopics: async () => pages(http, await inProject("topics"), "topics"),
    showTopic: async (topic) => http.request("GET", await topicPath(topic)),
    async updateTopic(topic, displayName) {
      await http.request("PUT", await topicPath(topic), {
        display_name: displayName,
      });
    },
    async deleteTopic(topic) {
      await http.request("DELETE", await topicPath(topic));
    },
    subscribe: async (topic, { protocol, endpoint, remark, headers }) =>
      http.request("POST", await topicPath(topic, "subscriptions"), {
        protocol,
        endpoint,
        ...(remark !== undefined && { remark }),
        ...(headers && { extension: { header: headers } }),
      }),
    listSubscriptions: async (topic) =>
      pages(
        http,
        topic === undefined
          ? await inProject("subscriptions")
          : await topicPath(topic, "subscriptions"),
        "subscriptions",
      ),
    confirmSubscription: (token) =>
      http.request(
        "GET",
        `/rest/v2/notifications/subscription/confirm?token=${encodeURIComponent(token)}`,
      ),
    async deleteSubscription(urn) {
      await http.request("DELETE", await inProject("subscriptions", urn));
    },
    async publish(topic, { subject, text, structure, timeToLiveSeconds }) {
      const path = await topicPath(topic, "publish");
      const answer = await http.request("POST", path, {
        ...(subject !== undefined && { subject }),
        ...(text !== undefined && { message: text }),
        ...(structure !== undefined && { message_structure: structure }),
        ...(timeToLiveSeconds !== undefined && {
          time_to_live: String(timeToLiveSeconds),
        }),
      });
      return textOf(answer, "message_id");
    },
    async sendSms(number, text) {
      const path = await inProject("sms");
      const body = { endpoint: number, message: text };
      return textOf(await http.request("POST", path, body), "message_id");
    },
    findMessage: (id) =>
      http.request("GET", `/api/v2/messages/${encodeURIComponent(id)}`),
    async listDeliveries(id) {
      const path = `/api/v2/messages/${encodeURIComponent(id)}/deliveries`;
      const all: Answer[] = [];
      for (let after = ""; ; ) {
        const answer = await http.request("GET", `${path}?limit=1000${after}`);
        all.push(...listOf(answer, "deliveries"));
        if (answer.next === undefined) return all;
        after = `&after=${encodeURIComponent(textOf(answer, "next"))}`;
      }
    },
  };
}

/** All pages of one of SMN's lists. */
async function pages(
  http: HttpClient,
  path: string,
  field: string,
): Promise<Answer[]> {
  const all: Answer[] = [];
  const limit = 100;
  for (;;) {
    const query = `?offset=${all.length}&limit=${limit}`;
    const page = listOf(await http.request("GET", path + query), field);
    all.push(...page);
    if (page.length < limit) return all;
  }
}

/** The project that the keys act in. */
async function findProject(http: HttpClient): Promise<string> {
  return textOf(await http.request("GET", "/api/v2/whoami"), "projectId");
}
