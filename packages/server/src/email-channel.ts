/**
 * The configuration of e-mail, with the files that it names: its mistakes, and the
 * options of the channel.
 */

import { X509Certificate } from "node:crypto";
import type { EmailChannelOptions } from "@carillon/channels";
import {
  problemWithDkimKey,
  problemWithSmtpTls,
  dkimRecordOf as recordOf,
} from "@carillon/channels/email-settings";
import { readConfigText } from "./bounded-file.ts";
import type { Config } from "./config.ts";
import type { ConfigMistake } from "./config-error.ts";
import {
  readBaseFile,
  toMailTemplateOptions,
} from "./templates/mail-template-settings.ts";

/** What of the configuration is about mails. */
export type EmailConfig = Pick<Config, "email" | "smtpUrl" | "mailFrom">;

/** What the channel takes from the configuration. */
export type ConfiguredEmail = Pick<
  EmailChannelOptions,
  "tls" | "from" | "senders" | "dkim" | "connections" | "mailsPerSecond"
>;

/** All that is wrong with it besides its single values. Reads the files. */
export function findEmailMistakes(config: EmailConfig): ConfigMistake[] {
  return [
    ...tlsMistakes(config),
    ...caMistakes(config),
    ...dkimMistakes(config),
    ...baseTemplateMistakes(config),
  ];
}

/**
 * @param config one without mistakes
 * @throws Error of a file that can no longer be read
 */
export function toConfiguredEmail({
  email,
  smtpUrl,
  mailFrom,
}: EmailConfig): ConfiguredEmail {
  const { dkim } = email;
  const privateKey = keyOf(email);
  return {
    from: mailFrom,
    senders: email.senders,
    connections: email.connections,
    mailsPerSecond: email.mailsPerSecond,
    // The sandbox's own server has none.
    ...(smtpUrl !== undefined && {
      tls: {
        mode: email.tls,
        ca: email.tlsCaFile && readConfigText(email.tlsCaFile),
        servername: email.tlsServername,
      },
    }),
    ...(dkim.domain !== undefined &&
      dkim.selector !== undefined &&
      privateKey !== undefined && {
        dkim: { domain: dkim.domain, selector: dkim.selector, privateKey },
      }),
  };
}

/** The TXT record by which receivers verify the signatures of mails. */
export interface DkimRecord {
  /** The domain that mails are signed for. */
  readonly domain: string;
  readonly name: string;
  readonly text: string;
}

/**
 * `undefined`: mails are not signed.
 *
 * @throws Error of a file that can no longer be read
 */
export function dkimRecordOf(config: EmailConfig): DkimRecord | undefined {
  const { dkim } = toConfiguredEmail(config);
  return dkim && { domain: dkim.domain, ...recordOf(dkim) };
}

/**
 * Keys whose files say something else under the same names.
 *
 * @param before what the files said
 */
export function findOtherFiles(
  { email }: EmailConfig,
  { email: next }: EmailConfig,
  before: ConfiguredEmail,
  after: ConfiguredEmail,
): readonly string[] {
  const { keyFile } = next.dkim;
  const isOtherKey =
    keyFile !== undefined &&
    keyFile === email.dkim.keyFile &&
    before.dkim?.privateKey !== after.dkim?.privateKey;
  const isOtherCa =
    next.tlsCaFile !== undefined &&
    next.tlsCaFile === email.tlsCaFile &&
    before.tls?.ca !== after.tls?.ca;
  return [
    ...(isOtherCa ? ["email.tlsCaFile"] : []),
    ...(isOtherKey ? ["email.dkim.keyFile"] : []),
  ];
}

function tlsMistakes({ email, smtpUrl }: EmailConfig): ConfigMistake[] {
  if (email.tls === undefined || smtpUrl === undefined) return [];
  const problem = problemWithSmtpTls(smtpUrl, email.tls);
  return problem === undefined ? [] : [mistake("email.tls", problem)];
}

function caMistakes({ email: { tlsCaFile } }: EmailConfig): ConfigMistake[] {
  if (tlsCaFile === undefined) return [];
  try {
    new X509Certificate(readConfigText(tlsCaFile));
    return [];
  } catch (error) {
    return [
      mistake(
        "email.tlsCaFile",
        `expected a file of certificates in PEM, got ${tlsCaFile}: ${reasonOf(error)}`,
      ),
    ];
  }
}

function baseTemplateMistakes({ email }: EmailConfig): ConfigMistake[] {
  const { baseTemplate } = toMailTemplateOptions(email);
  // A slug is one of a project, each of which may have it.
  if (baseTemplate === undefined || "slug" in baseTemplate) return [];
  try {
    readBaseFile(baseTemplate.file);
    return [];
  } catch (error) {
    return [
      mistake(
        "email.baseTemplate",
        `expected the slug of a mail template, or a file of HTML, got ${baseTemplate.file}: ${reasonOf(error)}`,
      ),
    ];
  }
}

function dkimMistakes({ email }: EmailConfig): ConfigMistake[] {
  const { domain, selector, key, keyFile } = email.dkim;
  const isUnset = [domain, selector, key, keyFile].every(
    (value) => value === undefined,
  );
  if (isUnset) return [];
  const missing = [
    ...(domain === undefined ? ["domain"] : []),
    ...(selector === undefined ? ["selector"] : []),
    ...(key === undefined && keyFile === undefined ? ["keyFile (or key)"] : []),
  ];
  if (missing.length > 0) {
    return [
      mistake(
        "email.dkim",
        `expected domain, selector and a key, or none of them; missing: ${missing.join(", ")}`,
      ),
    ];
  }
  if (key !== undefined && keyFile !== undefined) {
    return [
      mistake("email.dkim.key", "expected to be unset where keyFile is set"),
    ];
  }
  const name = key === undefined ? "email.dkim.keyFile" : "email.dkim.key";
  try {
    const problem = problemWithDkimKey(keyOf(email) ?? "");
    return problem === undefined ? [] : [mistake(name, problem)];
  } catch (error) {
    return [mistake(name, `${keyFile}: ${reasonOf(error)}`)];
  }
}

/** @throws Error of a file that cannot be read */
function keyOf({ dkim }: Config["email"]): string | undefined {
  if (dkim.keyFile !== undefined) return readConfigText(dkim.keyFile);
  return dkim.key?.replaceAll("\\n", "\n");
}

function mistake(key: string, problem: string): ConfigMistake {
  return { key, source: key, problem };
}

/** The path stands beside it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "no permission to read it";
  return code.startsWith("ERR_OSSL") ? "it is none" : error.message;
}
