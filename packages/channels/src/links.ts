/**
 * The addresses that messages carry: where a subscriber confirms, leaves, and
 * fetches the certificate. The server serves these paths.
 */

import type {
  ConfirmationGrant,
  SubscriptionGeneration,
  SubscriptionId,
  SubscriptionTokens,
} from "@carillon/core";

/** Under which URL the links are served, and for which region. */
export interface LinksOptions {
  /**
   * Answers the URL under which subscribers reach the service. A function:
   * with port 0 it is known only once the server listens.
   */
  readonly publicUrl: () => string;
  readonly region: string;
  readonly tokens: Pick<
    SubscriptionTokens,
    "confirmationToken" | "confirmationCode" | "unsubscribeToken"
  >;
}

/**
 * Links that people open lead to a page, whose button acts; those of http
 * subscribers act on GET, as SMN's do. Region and URNs are made of
 * characters that need no escaping in a query.
 */
export interface Links {
  /** Where people confirm. */
  confirmationPage(grant: ConfirmationGrant): string;
  /** What stands in place of that link: six digits. */
  confirmationCode(grant: ConfirmationGrant): string;
  /** Where people leave, and mail programs with one click. */
  unsubscriptionPage(generation: SubscriptionGeneration): string;
  subscribe(grant: ConfirmationGrant, topicUrn: string): string;
  unsubscribe(topicUrn: string, subscriptionId: SubscriptionId): string;
  /** The unsubscribe link of any subscription, but for the id at its end. */
  unsubscribePrefix(topicUrn: string): string;
  certificate(certificateId: string): string;
}

/** Builds the links of one region's messages. */
export function createLinks(options: LinksOptions): Links {
  const { publicUrl, region, tokens } = options;
  const site = () => publicUrl().replace(/\/+$/, "");
  const base = () => `${site()}/smn`;
  const regions = `region=${region}&region_id=${region}`;
  const unsubscribePrefix = (topicUrn: string) =>
    `${base()}/subscription/unsubscribe?${regions}&subscription_urn=${topicUrn}:`;
  return {
    confirmationPage: (grant) =>
      `${site()}/c/${tokens.confirmationToken(grant)}`,
    confirmationCode: (grant) => tokens.confirmationCode(grant),
    unsubscriptionPage: (generation) =>
      `${site()}/u/${tokens.unsubscribeToken(generation)}`,
    subscribe: (grant, topicUrn) =>
      `${base()}/subscription/confirm?token=${tokens.confirmationToken(grant)}&topic_urn=${topicUrn}&${regions}`,
    unsubscribe: (topicUrn, subscriptionId) =>
      unsubscribePrefix(topicUrn) + subscriptionId,
    unsubscribePrefix,
    certificate: (certificateId) => `${base()}/${certificateId}`,
  };
}
