/** Finds a service in the catalogue that comes with a Keystone v3 token. */

import { isObject, type JsonObject } from "../json.ts";

/** What SMN is called; some clouds list it under the second name only. */
const smnTypes = ["smn", "smnv2"];

/**
 * The public URL of SMN, in the region if one is asked for. `undefined` when
 * the catalogue has none.
 */
export function findSmnUrl(
  token: JsonObject,
  region: string | undefined,
): string | undefined {
  const services = objectsIn(token, "catalog");
  return smnTypes
    .flatMap((type) => services.filter((service) => service.type === type))
    .flatMap((service) => objectsIn(service, "endpoints"))
    .filter((endpoint) => endpoint.interface === "public")
    .filter(
      (endpoint) =>
        region === undefined ||
        endpoint.region === region ||
        endpoint.region_id === region,
    )
    .map((endpoint) => endpoint.url)
    .filter((url) => typeof url === "string")
    .find((url) => URL.canParse(url));
}

function objectsIn(object: JsonObject, field: string): JsonObject[] {
  const value = object[field];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
