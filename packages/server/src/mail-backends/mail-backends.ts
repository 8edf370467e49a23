/** The channel of e-mail with all backends of a configuration. */

import {
  createDebugEmailChannel,
  createEmailChannel,
  createMailBackendChannel,
  createRoutedEmailChannel,
  type EmailChannelOptions,
  type MailBackend,
  type MailRouter,
} from "@carillon/channels";
import type { Channel } from "@carillon/core";
import type { Config } from "../config.ts";
import { loadRouter } from "../sms-router.ts";
import {
  defaultBackendName,
  type MailBackendEntry,
} from "./mail-backend-settings.ts";
import { makeMailBackend, textsIn } from "./make-mail-backend.ts";

/** What all backends have in common. */
export type SharedMailOptions = Pick<
  EmailChannelOptions,
  | "from"
  | "senders"
  | "links"
  | "logger"
  | "readAttachments"
  | "returnPath"
  | "expectsReports"
>;

/**
 * `undefined`: there is none at all.
 *
 * @param ownChannel that of the other settings of e-mail, if it is set up
 * @param config one without mistakes
 * @throws ConfigError, TypeError of a module that is another one by now
 */
export function createMailBackends(
  { email }: Pick<Config, "email">,
  ownChannel: Channel | undefined,
  shared: SharedMailOptions,
  monotonic: () => number,
): Channel | undefined {
  const { backends, router } = email;
  if (backends.length === 0 && router === undefined) return ownChannel;
  const channels = new Map<string, Channel>();
  if (ownChannel) channels.set(defaultBackendName, ownChannel);
  for (const setting of backends) {
    // Without mistakes it is one.
    const entry = setting as MailBackendEntry;
    channels.set(entry.name, channelOf(entry, shared));
  }
  const [defaultName] = channels.keys();
  if (defaultName === undefined) return undefined;
  return createRoutedEmailChannel({
    backends: channels,
    defaultName,
    router: loadRouter<MailRouter>(router, "email.router"),
    logger: shared.logger,
    monotonic,
  });
}

function channelOf(
  entry: MailBackendEntry,
  shared: SharedMailOptions,
): Channel {
  const { name } = entry;
  switch (entry.type) {
    case "debug":
      return createDebugEmailChannel(name);
    case "smtp": {
      const { smtpUrl, tls, tlsCa, tlsServername, dkim } = entry;
      const { connections, mailsPerSecond } = entry;
      return createEmailChannel({
        ...shared,
        name,
        smtpUrl,
        tls: { mode: tls, ca: tlsCa, servername: tlsServername },
        connections,
        mailsPerSecond,
        ...(dkim && {
          dkim: {
            domain: dkim.domain,
            selector: dkim.selector,
            privateKey: dkim.key.replaceAll("\\n", "\n"),
          },
        }),
      });
    }
    case "module": {
      const made = makeMailBackend(entry);
      if ("problem" in made) throw new TypeError(made.problem);
      return createMailBackendChannel({
        ...shared,
        name,
        // It was checked with the configuration.
        backend: made.value as MailBackend,
        secrets: textsIn(entry.settings),
      });
    }
    default:
      return entry satisfies never;
  }
}
