/** The protocols http and https: webhooks. */

import {
  type ExtensionRequest,
  isCodeEnabled,
  maskUrl,
  maskUrlPath,
  type ProtocolDefinition,
  type SubscriptionExtension,
} from "@carillon/core";
import { problemWithUrl } from "./endpoint-url.ts";
import { checkHeaders } from "./headers.ts";

function defineWebhooks(name: "http" | "https"): ProtocolDefinition {
  return {
    name,
    isSmn: true,
    endpointForm: `a URL that starts with ${name}://`,
    problemWithEndpoint: (endpoint) => problemWithUrl(name, endpoint),
    maskEndpoint: maskUrlPath,
    maskSecrets: maskUrl,
    isUrl: true,
    checkExtension,
    // Longer than the default schedule of retries, which takes up to 54 hours.
    defaultLifeSeconds: 72 * 3600,
    // SMN's figures.
    confirmation: [{ max: 200, windowMs: 10 * 60_000, pauseMs: 0 }],
  };
}

function checkExtension(extension: ExtensionRequest): SubscriptionExtension {
  isCodeEnabled(extension);
  const { header } = extension;
  return header === undefined || header === null
    ? {}
    : { header: checkHeaders(header) };
}

/** The definition of `http`. */
export const httpProtocol = defineWebhooks("http");
/** The definition of `https`. */
export const httpsProtocol = defineWebhooks("https");
