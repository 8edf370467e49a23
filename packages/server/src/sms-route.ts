/** What is wrong with `sms.route`, in words. */

import { parseRouteLine, providersOf, RouteLineError } from "@carillon/gateway";

/** A clause that says what is wrong, `undefined` when nothing is. */
export function problemWithRoute(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  try {
    parseRouteLine(value);
    return undefined;
  } catch (error) {
    if (error instanceof RouteLineError) return error.message;
    throw error;
  }
}

/** A clause that names those that there are not, with those there are. */
export function problemWithRouteProviders(
  route: string,
  providers: readonly string[],
): string | undefined {
  const missing = providersOf(parseRouteLine(route)).filter(
    (name) => !providers.includes(name),
  );
  if (missing.length === 0) return undefined;
  return `no provider that sends is called ${missing.join(" or ")}; there are ${providers.join(", ")}`;
}
