/**
 * Built-in receivers for trying things out: a webhook inbox, a mail server and
 * phones. Nothing that is sent to them leaves the machine.
 */

import { randomBytes } from "node:crypto";
import {
  type Channel,
  type Clock,
  createTimeOrderedIds,
  type Logger,
} from "@carillon/core";
import type { Gateway } from "@carillon/gateway";
import { sandboxProviderName } from "../sms-settings.ts";
import { HandsetProvider } from "./handset-provider.ts";
import { createMailCapture, type MailCapture } from "./mail-capture.ts";
import { createMessageOwners } from "./message-owners.ts";
import { createPhones, type Phones } from "./phones.ts";
import { createWebhookInbox, type WebhookInbox } from "./webhook-inbox.ts";

/**
 * Receivers built in, so that nothing leaves the machine: phones, mailboxes and
 * webhooks that keep what they were sent.
 */
export interface Sandbox extends AsyncDisposable {
  readonly webhooks: WebhookInbox;
  readonly mails: MailCapture;
  readonly phones: Phones;
  /**
   * Those to phones and mailboxes, so that each project is shown its own; all
   * others are as they were.
   */
  watch(channel: Channel): Channel;
  /** Where the e-mail channel is to send. */
  readonly smtpUrl: string;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the sandbox's mail server on a free port of 127.0.0.1, and makes its
 * phones the default provider of the gateway, if one is given.
 */
export async function createSandbox(ports: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gateway?: Gateway | undefined;
}): Promise<Sandbox> {
  const { clock, logger, gateway } = ports;
  const newId = createTimeOrderedIds(
    () => clock.now(),
    (n) => randomBytes(n).toString("hex"),
  );
  const owners = createMessageOwners();
  const mails = await createMailCapture({ clock, newId, logger, owners });
  const webhooks = createWebhookInbox({ clock, newId });
  const handset = new HandsetProvider({
    newId,
    currentMessage: owners.current,
    deliver: (number, text) => {
      phones.deliver(number, text, owners.current()?.projectId);
    },
    answer: async (number, text) => {
      const projectId = owners.current()?.projectId;
      try {
        await phones.reply(number, text, undefined, projectId);
      } catch (error) {
        // No fault of the text that was answered.
        logger.warn("sandbox_answer_failed", { error });
      }
    },
  });
  const phones = createPhones({
    clock,
    newId,
    onReply: async (number, text, to) => {
      if (gateway) await handset.reply(number, text, to);
    },
  });
  if (gateway) {
    gateway.addProvider(sandboxProviderName, handset);
    gateway.defaultProvider = sandboxProviderName;
  }

  const close = async () => {
    webhooks.close();
    await mails.close();
  };
  return {
    webhooks,
    mails,
    phones,
    watch: (channel) =>
      channel.name === "sms" || channel.name === "email"
        ? owners.watch(channel)
        : channel,
    smtpUrl: mails.smtpUrl,
    close,
    [Symbol.asyncDispose]: close,
  };
}
