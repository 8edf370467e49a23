/**
 * The pages that links in mails and text messages lead to: GET shows what
 * would be done, whatever the Accept header says, and POST does it. Scanners
 * of mail follow links, so a GET must not act (RFC 9110 §9.2.1).
 */

import type { Subscription } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { sitePathOf } from "../origin.ts";
import { sendPage } from "./page.ts";
import type { SubscriberPorts } from "./ports.ts";

const options = {
  schema: { params: Type.Object({ token: Type.String() }) },
  config: { alwaysPage: true },
} as const;

export function pageRoutes(app: HttpApp, ports: SubscriberPorts): void {
  const { subscriptions, originOf, protocols } = ports;

  /** The endpoint as pages have it. */
  const shown = ({ protocol, endpoint }: Subscription) =>
    protocols.maskSecrets(protocol, endpoint);

  app.get("/c/:token", options, async (request, reply) => {
    const { token } = request.params;
    const subscription = await subscriptions.findByToken(token);
    return sendPage(reply, {
      title: "Confirm subscription",
      text: `Do you want to receive messages of the topic ${subscription.topicName} at ${shown(subscription)}?`,
      button: {
        label: "Confirm subscription",
        action: sitePathOf(originOf(request), `/c/${token}`),
      },
    });
  });

  app.post("/c/:token", options, async (request, reply) => {
    const subscription = await subscriptions.confirm(request.params.token);
    return sendPage(reply, {
      title: "Subscription confirmed",
      text: `${shown(subscription)} now receives messages of the topic ${subscription.topicName}.`,
    });
  });

  app.get("/u/:token", options, async (request, reply) => {
    const { token } = request.params;
    const { topicName } = await subscriptions.findByUnsubscribeToken(token);
    return sendPage(reply, {
      title: "Unsubscribe",
      text: `Do you want no more messages of the topic ${topicName}?`,
      button: {
        label: "Unsubscribe",
        action: sitePathOf(originOf(request), `/u/${token}`),
      },
    });
  });

  // The button, and what mail programs send for List-Unsubscribe-Post
  // (RFC 8058 §3.2).
  app.post("/u/:token", options, async (request, reply) => {
    const { topicName } = await subscriptions.unsubscribe(request.params.token);
    return sendPage(reply, {
      title: "Unsubscribed",
      text: `You receive no more messages of the topic ${topicName}. A last message says how to come back.`,
    });
  });
}
