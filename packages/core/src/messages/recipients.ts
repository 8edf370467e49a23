/** Recipients that a message names itself, beside any topic. */

import { CarillonError } from "../errors.ts";
import type { Recipient } from "../ports/channel.ts";
import {
  checkEndpoint,
  type Protocol,
  type Protocols,
} from "../subscriptions/protocol.ts";

/** One recipient as a publisher hands it over; unchecked. */
export interface RecipientRequest {
  readonly protocol: unknown;
  readonly endpoint: unknown;
}

/** Recipients of one message. */
export const maxRecipients = 1000;

/** Of those that cannot be used, how many are described. */
const maxDescribed = 10;

/**
 * Checks each; one that cannot be used keeps all others from being accepted.
 * Who is named twice gets the message once.
 *
 * @throws CarillonError RECIPIENTS_INVALID
 */
export function checkRecipients(
  list: readonly RecipientRequest[],
  protocols: Pick<Protocols, "check">,
  /** Whether its endpoints fetch what is for them. Default: none do. */
  isFetched: (protocol: Protocol) => boolean = () => false,
): Pick<Recipient, "protocol" | "endpoint">[] {
  if (list.length < 1 || list.length > maxRecipients) {
    throw invalid(
      `1 to ${maxRecipients} are expected, ${list.length} were given`,
    );
  }
  const found = new Map<string, Pick<Recipient, "protocol" | "endpoint">>();
  const problems: string[] = [];
  for (const [n, { protocol: name, endpoint: text }] of list.entries()) {
    try {
      const definition = protocols.check(name);
      const endpoint = checkEndpoint(definition, text);
      const protocol = definition.name;
      if (isFetched(protocol)) {
        problems.push(`recipients[${n}]: ${fetchedProblem(protocol)}.`);
        continue;
      }
      found.set(`${protocol} ${endpoint}`, { protocol, endpoint });
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      problems.push(`recipients[${n}]: ${error.message}`);
    }
  }
  if (problems.length === 0) return [...found.values()];
  const described = problems.slice(0, maxDescribed).join(" ");
  const rest = problems.length - maxDescribed;
  throw invalid(
    `${problems.length} of ${list.length} cannot be used, and nothing was accepted. ${described}${rest > 0 ? ` And ${rest} more` : ""}`,
  );
}

/** Who fetches messages does so by what it is subscribed to. */
function fetchedProblem(protocol: Protocol): string {
  return `messages that are fetched (${protocol}) come through subscriptions: subscribe the mailbox to a topic, and publish to that`;
}

function invalid(problem: string): CarillonError {
  return new CarillonError(
    "RECIPIENTS_INVALID",
    `Invalid recipients: ${problem.replace(/\.$/, "")}.`,
  );
}
