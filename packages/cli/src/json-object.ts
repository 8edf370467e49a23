/** JSON read from files, which is unknown until looked at. */

import type { JsonObject } from "@carillon/client";

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
