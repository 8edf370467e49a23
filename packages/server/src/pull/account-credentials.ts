/**
 * Credentials of pull accounts: `Authorization: Basic`, with the account's id as
 * user name. Publishers and subscribers are different accounts; one is never
 * taken for the other.
 */

import type {
  MailboxAccount,
  PullPublisher,
  PullPublishers,
  PullSubscribers,
} from "@carillon/core";

/** Whose credentials a request came with. */
export type PullAccount =
  | { readonly kind: "subscriber"; readonly mailbox: MailboxAccount }
  | { readonly kind: "publisher"; readonly publisher: PullPublisher };

export type PullAccountKind = PullAccount["kind"];

export interface PullAccountPorts {
  readonly pullSubscribers: Pick<PullSubscribers, "authenticate">;
  readonly pullPublishers: Pick<PullPublishers, "authenticate">;
}

/** Longest user name and password that are looked at, in characters. */
const maxPairLength = 512;

/**
 * The account of that kind; `undefined` when the header has no credentials, or
 * wrong ones, or those of an account that is disabled.
 */
export async function findPullAccount(
  kind: PullAccountKind,
  authorization: string | undefined,
  { pullSubscribers, pullPublishers }: PullAccountPorts,
): Promise<PullAccount | undefined> {
  const pair = readBasicCredentials(authorization);
  if (pair === undefined) return undefined;
  const { id, secret } = pair;
  switch (kind) {
    case "subscriber": {
      const mailbox = await pullSubscribers.authenticate(id, secret);
      return mailbox && { kind, mailbox };
    }
    case "publisher": {
      const publisher = await pullPublishers.authenticate(id, secret);
      return publisher && { kind, publisher };
    }
    default:
      return kind satisfies never;
  }
}

/**
 * The account of that kind, else of the other: the route tells its holder that it
 * reaches something else.
 */
export async function findAnyPullAccount(
  kind: PullAccountKind,
  authorization: string | undefined,
  ports: PullAccountPorts,
): Promise<PullAccount | undefined> {
  const other = kind === "subscriber" ? "publisher" : "subscriber";
  return (
    (await findPullAccount(kind, authorization, ports)) ??
    (await findPullAccount(other, authorization, ports))
  );
}

/** RFC 7617 §2. */
function readBasicCredentials(
  header: string | undefined,
): { readonly id: string; readonly secret: string } | undefined {
  const [, encoded = ""] =
    /^basic +([A-Za-z0-9+/_-]+=*) *$/i.exec(header ?? "") ?? [];
  if (encoded === "" || encoded.length > 2 * maxPairLength) return undefined;
  const pair = Buffer.from(encoded, "base64").toString();
  const cut = pair.indexOf(":");
  return cut < 1
    ? undefined
    : { id: pair.slice(0, cut), secret: pair.slice(cut + 1) };
}
