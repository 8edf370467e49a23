/** The delivery policy for texts, from the file that the configuration names. */

import { readFileSync } from "node:fs";
import {
  ConfigurationError,
  DeliveryPolicy,
  parseDeliveryPolicy,
} from "@carillon/gateway";
import { ConfigError } from "./config.ts";

/** @throws ConfigError when it cannot be read, or is no policy */
export function readSmsPolicy(path: string): DeliveryPolicy {
  try {
    const data: unknown = JSON.parse(readFileSync(path, "utf8"));
    return new DeliveryPolicy(parseDeliveryPolicy(data));
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
