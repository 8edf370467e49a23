/** The delivery policy for texts, from the file that the configuration names. */

import { readFileSync } from "node:fs";
import {
  ConfigurationError,
  DeliveryPolicy,
  parseDeliveryPolicy,
} from "@carillon/gateway";
import { ConfigError } from "./config.ts";

/**
 * @param providers names of those that it may use
 * @throws ConfigError when it cannot be read, is no policy, or uses others
 */
export function readSmsPolicy(
  path: string,
  providers: readonly string[],
): DeliveryPolicy {
  try {
    const data: unknown = JSON.parse(readFileSync(path, "utf8"));
    const policy = new DeliveryPolicy(parseDeliveryPolicy(data));
    policy.checkProviders((name) => providers.includes(name));
    return policy;
  } catch (error) {
    const reason =
      error instanceof ConfigurationError || error instanceof SyntaxError
        ? error.message
        : `it cannot be read (${codeOf(error)})`;
    throw new ConfigError([
      {
        key: "sms.policyFile",
        source: "sms.policyFile",
        problem: `${path}: ${reason}`,
      },
    ]);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error
    ? String(error.code)
    : String(error);
}
