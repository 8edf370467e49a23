/**
 * All of a service that has to do with what becomes of mails after the mail
 * server took them: return addresses, the mail server and the webhooks that
 * reports come to, and the suppression list in front of the channel.
 */

import {
  createSuppressingChannel,
  type EmailChannelOptions,
} from "@carillon/channels";
import type { Channel, Clock, Logger, MailEventStore } from "@carillon/core";
import type { EmailEventPorts } from "../api/receivers/email-events.ts";
import type { Config } from "../config.ts";
import { ConfigError } from "../config-error.ts";
import { createBounceAddresses } from "./bounce-address.ts";
import { type BounceServer, startBounceServer } from "./bounce-server.ts";
import { createMailIntake } from "./mail-intake.ts";

export interface MailReportsPorts {
  readonly store: MailEventStore;
  /** The machine's. */
  readonly clock: Clock;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  readonly logger: Logger;
  /** What holds now. */
  readonly settings: () => Config;
}

export interface MailReports {
  readonly emailEvents: EmailEventPorts;
  /** Of the e-mail channel, by a configuration. */
  channelOptions(
    config: Config,
  ): Pick<EmailChannelOptions, "returnPath" | "expectsReports">;
  /** The channel without those who are on the suppression list. */
  suppressing(channel: Channel): Channel;
  /**
   * Takes bounces from now on; `undefined`: none are taken by SMTP.
   *
   * @throws ConfigError when it cannot listen
   */
  listen(): Promise<BounceServer | undefined>;
}

const dayMs = 86_400_000;

export function createMailReports({
  store,
  clock,
  key,
  logger,
  settings,
}: MailReportsPorts): MailReports {
  const { bounces } = settings().email;
  const { domain, mailbox } = bounces;
  const addresses =
    domain === undefined
      ? undefined
      : createBounceAddresses({ key, domain, mailbox });
  const intake = createMailIntake({ store, clock, logger }, () => {
    const { softBounceLimit: count, softBounceDays } = settings().email;
    return { count, windowMs: softBounceDays * dayMs };
  });
  return {
    emailEvents: {
      intake,
      clock,
      webhookSecret: () => settings().email.webhookSecret,
      mandrillKey: () => settings().email.mandrillKey,
    },
    channelOptions: ({ email: { webhookSecret, mandrillKey } }) => ({
      expectsReports:
        addresses !== undefined ||
        webhookSecret !== undefined ||
        mandrillKey !== undefined,
      namesMailsToMandrill: mandrillKey !== undefined,
      ...(addresses && {
        returnPath: ({ id: messageId }, { target }) =>
          addresses.addressOf({ messageId, target }, clock.now()),
      }),
    }),
    suppressing: (channel) =>
      createSuppressingChannel(channel, (keys) =>
        store.findEmailSuppressions(keys),
      ),
    async listen() {
      const { port, host, trustMessageIds } = bounces;
      if (port === undefined || !addresses) return undefined;
      try {
        const server = await startBounceServer(
          { addresses, intake, clock, logger },
          { host, port, trustMessageIds },
        );
        logger.info("bounces_taken", { host, port: server.port });
        return server;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const reason =
          code === "EADDRINUSE" ? "another program uses it" : message;
        throw new ConfigError([
          {
            key: "email.bounces.port",
            source: "email.bounces.port",
            problem: `port ${port} on ${host} cannot be listened on: ${reason}`,
          },
        ]);
      }
    },
  };
}
