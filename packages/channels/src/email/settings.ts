/**
 * What a configuration of e-mail is checked with: `@carillon/channels/email-settings`,
 * for programs that read one where channels are not loaded.
 */

export { type DkimKey, dkimRecordOf, problemWithDkimKey } from "./dkim-key.ts";
export { problemWithMailBackend } from "./mail-backend.ts";
export { domainOf, problemWithMailSender } from "./mail-senders.ts";
export {
  problemWithSmtpTls,
  type SmtpTlsMode,
  smtpTlsModes,
} from "./smtp-tls.ts";
export { problemWithSmtpUrl } from "./smtp-url.ts";
