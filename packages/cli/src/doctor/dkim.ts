import { Resolver } from "node:dns/promises";
import type { DkimRecord } from "@carillon/server";
import { type CheckOptions, type Finding, within } from "./check.ts";

/** Answers the texts of a TXT record, each in its pieces. */
export type ResolveTxt = (
  name: string,
  signal: AbortSignal,
) => Promise<readonly (readonly string[])[]>;

/** What the check takes besides the usual. */
export interface DkimCheckOptions extends CheckOptions {
  /** Default: the system's name servers. */
  readonly resolve?: ResolveTxt;
}

/**
 * Do receivers find the key that mails are signed with, and is it that of their
 * sender's domain? Nothing is found of a service that does not sign.
 *
 * @throws the signal's reason
 */
export async function checkDkim(
  record: DkimRecord | undefined,
  mailFrom: string,
  options: DkimCheckOptions = {},
): Promise<readonly Finding[]> {
  if (record === undefined) return [];
  const { signal, timeoutMs = 5000, resolve = resolveTxt } = options;
  const check = "DKIM";
  const publish = `Publish the TXT record ${record.name} with the text: ${record.text}`;
  const warn = (found: string, advice: string): Finding[] => [
    { check, result: "warning", found, advice },
  ];
  const sender = mailFrom.slice(mailFrom.lastIndexOf("@") + 1).toLowerCase();
  const domain = record.domain.toLowerCase();
  if (sender !== domain && !sender.endsWith(`.${domain}`)) {
    return warn(
      `mails from ${sender} are signed for ${domain}`,
      "Set email.dkim.domain to the domain of mailFrom, or one above it: receivers compare them (DMARC).",
    );
  }
  let texts: readonly string[];
  try {
    const answer = await resolve(record.name, within(timeoutMs, signal));
    texts = answer.map((pieces) => pieces.join(""));
  } catch (error) {
    signal?.throwIfAborted();
    const code =
      error instanceof Error && "code" in error ? String(error.code) : "";
    return warn(
      `the record ${record.name} is not found (${code || String(error)})`,
      publish,
    );
  }
  return texts.some((text) => keyOf(text) === keyOf(record.text))
    ? [{ check, result: "ok", found: `${record.name} has the key` }]
    : warn(`the record ${record.name} has another key`, publish);
}

/** The tag p (RFC 6376 §3.6.1); blanks in it mean nothing. */
function keyOf(record: string): string | undefined {
  const tags = record.replace(/\s/g, "").split(";");
  return tags.find((tag) => tag.startsWith("p="))?.slice(2);
}

const resolveTxt: ResolveTxt = async (name, signal) => {
  const resolver = new Resolver();
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await resolver.resolveTxt(name);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
};
