/** Definitions of protocols for tests: every text is a good endpoint. */

import type { ProtocolDefinition } from "@carillon/core";

/** Builds one; what is given goes over what it has otherwise. */
export function defineTestProtocol(
  name: string,
  changes: Partial<ProtocolDefinition> = {},
): ProtocolDefinition {
  return {
    name,
    isSmn: true,
    endpointForm: "a text",
    problemWithEndpoint: () => undefined,
    maskEndpoint: () => "***",
    defaultLifeSeconds: name === "sms" ? 4 * 3600 : 72 * 3600,
    confirmation: [],
    ...changes,
  };
}
