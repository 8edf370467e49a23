/** `carillon subscription …` */

import {
  type ConfirmedSubscription,
  ForbiddenError,
  type Smn,
  type Subscription,
} from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addYes, type ConfirmOptions, confirm } from "../confirm.ts";
import { withConfirmationHint } from "../confirmation-hint.ts";
import {
  findSubscription,
  idIn,
  listSubscriptions,
} from "../find-subscription.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { topicNameOf, topicUrnOf } from "../topic-urn.ts";
import { signatureCommand } from "./subscription-signature.ts";

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
  { head: "topic", cell: (one) => topicNameOf(one.topic_urn) },
  { head: "protocol", cell: (one) => one.protocol },
  { head: "endpoint", cell: (one) => one.endpoint, max: 60 },
  {
    head: "status",
    cell: (one) => statusNames[one.status] ?? String(one.status),
    style: (one) => (one.status === 1 || one.status === 2 ? "green" : "yellow"),
  },
  { head: "remark", cell: (one) => one.remark, max: 30 },
  { head: "id", cell: (one) => idIn(one.subscription_urn), isId: true },
];

const fields: readonly Column<SubscriptionRecord>[] = [
  ...columns,
  {
    head: "filters",
    cell: ({ filter_polices }) =>
      filter_polices
        .map(
          ({ name, string_equals }) => `${name}: ${string_equals.join(", ")}`,
        )
        .join("; "),
    wraps: true,
  },
  { head: "URN", cell: (one) => one.subscription_urn },
];

export function subscriptionCommand(): Command {
  return new Command("subscription")
    .description(
      "Create, list, show, confirm, sign and delete subscriptions. A subscription receives nothing until whoever is at the endpoint confirmed it. It is given by its id, the start of its id or its URN, or by topic and endpoint.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(confirmLink())
    .addCommand(remove())
    .addCommand(signatureCommand());
}

interface CreateOptions extends ClientOptions {
  readonly remark?: string;
  readonly header?: readonly string[];
  readonly signature?: string;
  readonly algorithm?: string;
  readonly latest?: true;
}

function create(): Command {
  return clientCommand(
    "create <topic> <protocol> <endpoint>",
    "Subscribe an endpoint to a topic; it is sent a message that asks to confirm. Protocols are http, https, email, sms, pull (the endpoint is the name of a mailbox, and nothing is to confirm), and those of channels that the server was given.",
    [
      "carillon subscription create alerts https https://example.com/hook",
      "carillon subscription create alerts https https://a.example --signature none",
      "carillon subscription create alerts email me@example.com --remark on-call",
      "carillon subscription create alerts sms +4915112345678",
      "carillon subscription create alerts pull hall-display --latest",
    ],
  )
    .option("--remark <text>", "a note to yourself")
    .option(
      "--header <name=value>",
      "header to send along (http, https); may be given again",
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option(
      "--signature <scheme>",
      "how messages are signed (http, https): smn, standard-webhooks or none; default smn",
    )
    .option(
      "--algorithm <name>",
      "of standard-webhooks: hmac-sha256, the default, or ed25519",
    )
    .option(
      "--latest",
      "put the topic's newest message into the mailbox at once (pull)",
    )
    .action(
      async (
        topic: string,
        protocol: string,
        endpoint: string,
        options: CreateOptions,
      ) => {
        const { remark, signature: scheme, algorithm } = options;
        const { latest } = options;
        const header =
          options.header && Object.fromEntries(options.header.map(pair));
        if (algorithm !== undefined && scheme === undefined) {
          throw new CommandFailure(
            "--algorithm goes with --signature standard-webhooks.",
            2,
          );
        }
        const output = createOutput(options);
        await withServer(options, async ({ smn, carillon }) => {
          const topicUrn = await topicUrnOf(smn, topic);
          // Not over SMN's API, which has SMN's protocols alone.
          const subscribe = async () =>
            await carillon.request({
              method: "POST",
              path: ["topics", topicUrn, "subscriptions"],
              body: {
                protocol,
                endpoint,
                remark,
                extension: (header || latest) && { header, latest },
                signature: scheme && { scheme, algorithm },
              },
            });
          // Programs do not wait for a hint.
          const { result, hint } = output.json
            ? { result: await subscribe(), hint: "" }
            : await withConfirmationHint(
                carillon,
                { topicUrn, endpoint },
                subscribe,
              );
          const urn = String(result.urn);
          output.result(
            result.status === "unconfirmed"
              ? `Subscription ${idIn(urn)} waits for ${endpoint} to confirm. ${hint}`
              : `Subscription ${idIn(urn)} of ${endpoint} ${result.status === "confirmed" ? "is confirmed" : "needs no confirmation"}.`,
            { subscription_urn: urn },
          );
        });
      },
    );
}

function list(): Command {
  return clientCommand(
    "list [topic]",
    "List the subscriptions of a topic, oldest first, or those of all topics, topic by topic.",
    ["carillon subscription list alerts"],
  ).action(async (topic: string | undefined, options: ClientOptions) => {
    const subscriptions = await withServer(options, async (server) =>
      listSubscriptions(
        server,
        topic === undefined ? undefined : await topicUrnOf(server.smn, topic),
      ),
    );
    createOutput(options).rows(
      subscriptions.map(toRecord),
      columns,
      "There are no subscriptions: create one with carillon subscription create.",
    );
  });
}

function show(): Command {
  return clientCommand(
    "show <subscription> [endpoint]",
    "Show one subscription.",
    [
      "carillon subscription show 9d81c2f0",
      "carillon subscription show alerts me@example.com",
    ],
  ).action(
    async (
      reference: string,
      endpoint: string | undefined,
      options: ClientOptions,
    ) => {
      const found = await withServer(options, (server) =>
        findSubscription(server, reference, endpoint),
      );
      createOutput(options).record(toRecord(found), fields);
    },
  );
}

function confirmLink(): Command {
  return clientCommand(
    "confirm <link>",
    "Confirm a subscription with the link, or the token, that its endpoint was sent.",
    ["carillon subscription confirm http://127.0.0.1:7070/c/0f3c5d1e…"],
  ).action(async (link: string, options: ClientOptions) => {
    const token = tokenIn(link);
    const confirmed = await withServer(options, ({ smn }) =>
      confirmWith(smn, token),
    );
    createOutput(options).result(
      `Subscription ${idIn(confirmed.subscriptionUrn)} is confirmed.`,
      toResult(confirmed),
    );
  });
}

function remove(): Command {
  return addYes(
    clientCommand(
      "delete <subscription> [endpoint]",
      "Delete a subscription; its endpoint is not notified.",
      [
        "carillon subscription delete 9d81c2f0",
        "carillon subscription delete alerts me@example.com --yes",
      ],
    ),
  ).action(
    async (
      reference: string,
      endpoint: string | undefined,
      options: ClientOptions & ConfirmOptions,
    ) => {
      const deleted = await withServer(options, async (server) => {
        const found = await findSubscription(server, reference, endpoint);
        await confirm(
          `Delete the subscription of ${found.endpoint} to topic ${topicNameOf(found.topicUrn)}?`,
          options,
        );
        await server.carillon.subscriptions.delete(found, {
          ignoreMissing: false,
        });
        return found;
      });
      createOutput(options).result(
        `${deleted.endpoint} is no longer subscribed to ${topicNameOf(deleted.topicUrn)}.`,
        { subscription_urn: deleted.subscriptionUrn, deleted: true },
      );
    },
  );
}

/** @throws CommandFailure when no subscription waits for the token */
async function confirmWith(
  smn: Smn,
  token: string,
): Promise<ConfirmedSubscription> {
  try {
    return await smn.confirmSubscription(token);
  } catch (error) {
    // The route is for subscribers, whose pages have no codes.
    if (!(error instanceof ForbiddenError) || error.smnCode !== undefined) {
      throw error;
    }
    throw new CommandFailure(
      "No subscription waits for this link or token, or it has expired: carillon subscription create sends another.",
      1,
      { cause: error },
    );
  }
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

function toResult(one: ConfirmedSubscription) {
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
