/** Endpoints as logs may show them: enough to distinguish them. */

import type { Protocol } from "@carillon/core";

export function maskEndpoint(protocol: Protocol, endpoint: string): string {
  switch (protocol) {
    case "email": {
      const at = endpoint.lastIndexOf("@");
      return `${endpoint.slice(0, Math.min(1, at))}***${endpoint.slice(at)}`;
    }
    case "sms":
      return `${endpoint.slice(0, 3)}***${endpoint.slice(-3)}`;
    case "http":
    case "https":
      // Paths and queries of webhooks often are their passwords.
      return `${URL.parse(endpoint)?.origin ?? protocol}/***`;
    default:
      return protocol satisfies never;
  }
}
