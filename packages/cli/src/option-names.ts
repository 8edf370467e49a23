/** What the server calls by members of its API, by the options that give them. */

/** Members whose names are no words of a sentence. */
export const members: ReadonlyMap<string, string> = new Map(
  Object.entries({
    overlapSeconds: "--overlap",
    timeToLiveSeconds: "--time-to-live",
    notBefore: "--at",
    "email.from": "--from",
    "email.senderName": "--from-name",
    "email.replyTo": "--reply-to",
    "email.unsubscribeUrl": "--unsubscribe-url",
    "sms.sender": "--sender",
    "sms.provider": "--provider",
    "sms.validityMinutes": "--validity",
    "sms.allowReply": "--option",
    "sms.escalate": "--option",
    "sms.statusReport": "--option",
    "sms.params": "--param",
    statusUrl: "--status-url",
    extraData: "--extra-data",
    relatedObjects: "--related",
    relatedObject: "--related",
    errorClass: "--error-class",
    "Idempotency-Key": "--idempotency-key",
    "Last-Event-ID": "--after",
  }),
);

/** Those that are words, too, where they begin the sentence. */
export const parameters: ReadonlyMap<string, string> = new Map(
  Object.entries({
    events: "--events",
    protocol: "--protocol",
    tag: "--tag",
    backend: "--backend",
    priority: "--priority",
  }),
);

/** A sentence of the server's in the command line's words. */
export function withOptionNames(sentence: string): string {
  return sentence
    .replace(/(?<=^Invalid )[a-z]+(?=:)/, (it) => parameters.get(it) ?? it)
    .replace(
      /(?<=^|: )[a-z]+(?= (?:is not as expected|must be|must not have))/,
      (it) => parameters.get(it) ?? it,
    )
    .replace(
      /\b(?:(?:sms|email)\.)?[A-Za-z]+(?:-[A-Za-z]+)*\b/g,
      (it) => members.get(it) ?? it,
    );
}
