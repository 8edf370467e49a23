/** `carillon subscription …` */

import type { Subscription } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { topicUrnOf } from "../topic-urn.ts";

/** SMN's status numbers. */
const statusNames = [
  "unconfirmed",
  "confirmed",
  "confirmed (not needed)",
  "cancelled",
  "deleted",
];

/** What is printed as JSON: named as SMN names it. */
type SubscriptionRecord = ReturnType<typeof toRecord>;

const columns: readonly Column<SubscriptionRecord>[] = [
  { head: "topic", cell: (one) => one.topic_urn.split(":").at(-1) ?? "" },
  { head: "protocol", cell: (one) => one.protocol },
  { head: "endpoint", cell: (one) => one.endpoint, max: 60 },
  {
    head: "status",
    cell: (one) => statusNames[one.status] ?? String(one.status),
    style: (one) => (one.status === 1 || one.status === 2 ? "green" : "yellow"),
  },
  { head: "remark", cell: (one) => one.remark, max: 30 },
  { head: "URN", cell: (one) => one.subscription_urn },
];

export function subscriptionCommand(): Command {
  return new Command("subscription")
    .description(
      "Add, list, confirm and delete subscriptions. A subscription receives nothing until whoever is at the endpoint confirmed it.",
    )
    .addCommand(add())
    .addCommand(list())
    .addCommand(confirm())
    .addCommand(remove());
}

interface AddOptions extends ClientOptions {
  readonly remark?: string;
  readonly header?: readonly string[];
}

function add(): Command {
  return clientCommand(
    "add <topic> <protocol> <endpoint>",
    "Subscribe an endpoint to a topic; it is sent a message that asks to confirm. Protocols: http, https, email, sms.",
    [
      "carillon subscription add alerts https https://example.com/hook",
      "carillon subscription add alerts email me@example.com --remark on-call",
      "carillon subscription add alerts sms +4915112345678",
    ],
  )
    .option("--remark <text>", "a note to yourself")
    .option(
      "--header <name=value>",
      "header to send along (http, https); may be given again",
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .action(
      async (
        topic: string,
        protocol: string,
        endpoint: string,
        options: AddOptions,
      ) => {
        const { remark, header } = options;
        const created = await withServer(options, async ({ smn }) =>
          smn.createSubscription(await topicUrnOf(smn, topic), {
            protocol,
            endpoint,
            remark,
            extension: header && {
              header: Object.fromEntries(header.map(pair)),
            },
          }),
        );
        createOutput(options).result(
          `Subscription ${created.subscriptionUrn} waits for ${endpoint} to confirm.`,
          toResult(created),
        );
      },
    );
}

function list(): Command {
  return clientCommand(
    "list [topic]",
    "List the subscriptions of a topic, or of all topics, oldest first.",
    ["carillon subscription list alerts"],
  ).action(async (topic: string | undefined, options: ClientOptions) => {
    const subscriptions = await withServer(options, async ({ smn }) =>
      Array.fromAsync(
        smn.subscriptions(
          topic === undefined ? undefined : await topicUrnOf(smn, topic),
        ),
      ),
    );
    createOutput(options).rows(
      subscriptions.map(toRecord),
      columns,
      "There are no subscriptions: add one with carillon subscription add.",
    );
  });
}

function confirm(): Command {
  return clientCommand(
    "confirm <link>",
    "Confirm a subscription with the link, or the token, that its endpoint was sent.",
    ["carillon subscription confirm http://127.0.0.1:7070/c/0f3c5d1e…"],
  ).action(async (link: string, options: ClientOptions) => {
    const confirmed = await withServer(options, async ({ smn }) =>
      smn.confirmSubscription(tokenIn(link)),
    );
    createOutput(options).result(
      `Subscription ${confirmed.subscriptionUrn} is confirmed.`,
      toResult(confirmed),
    );
  });
}

function remove(): Command {
  return clientCommand(
    "delete <urn>",
    "Delete a subscription; its endpoint is not notified.",
    ["carillon subscription delete urn:smn:local:0f3c…:alerts:9d81c2f0…"],
  ).action(async (urn: string, options: ClientOptions) => {
    await withServer(options, ({ smn }) =>
      smn.deleteSubscription(urn, { ignoreMissing: false }),
    );
    createOutput(options).result(`Subscription ${urn} is deleted.`, {
      subscription_urn: urn,
      deleted: true,
    });
  });
}

function tokenIn(link: string): string {
  const [, inPath] = /\/c\/([0-9a-f]+)$/.exec(link) ?? [];
  if (inPath) return inPath;
  if (!/[?/]/.test(link)) return link;
  const token = new URLSearchParams(link.slice(link.indexOf("?"))).get("token");
  if (token) return token;
  throw new CommandFailure(
    `Expected a link with /c/… or token=… in it, got ${link}.`,
    2,
  );
}

function pair(header: string): [string, string] {
  const at = header.indexOf("=");
  if (at > 0) return [header.slice(0, at), header.slice(at + 1)];
  throw new CommandFailure(
    `Expected --header x-name=value, got "${header}".`,
    2,
  );
}

function toResult(one: {
  readonly subscriptionUrn: string;
  readonly requestId: string | undefined;
}) {
  return { request_id: one.requestId, subscription_urn: one.subscriptionUrn };
}

function toRecord(subscription: Subscription) {
  return {
    topic_urn: subscription.topicUrn,
    protocol: subscription.protocol,
    subscription_urn: subscription.subscriptionUrn,
    owner: subscription.owner,
    endpoint: subscription.endpoint,
    remark: subscription.remark,
    status: subscription.status,
    // SMN spells it this way.
    filter_polices: subscription.filterPolicies.map((policy) => ({
      name: policy.name,
      string_equals: policy.stringEquals,
    })),
  };
}
