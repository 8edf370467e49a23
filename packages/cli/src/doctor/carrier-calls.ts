/** Can the carriers of texts reach this server? */

import type { Config } from "@carillon/server";
import type { Finding } from "./check.ts";

/** Nothing where no provider has a carrier behind it. */
export function checkCarrierCalls({
  publicUrl,
  sms,
}: {
  readonly publicUrl?: string | undefined;
  readonly sms: Pick<Config["sms"], "providers">;
}): readonly Finding[] {
  const carriers = sms.providers
    .filter((it) => typeof it === "object")
    // Gateways of one's own, which are set up to call each other.
    .filter(({ type }) => !type.startsWith("forward-"));
  if (carriers.length === 0) return [];
  const check = "carriers' calls";
  if (publicUrl !== undefined) {
    return [{ check, result: "ok", found: `they come to ${publicUrl}` }];
  }
  const untold = carriers.filter((it) => !("callbackUrl" in it));
  if (untold.length === 0) {
    return [
      { check, result: "ok", found: "each has a callbackUrl of its own" },
    ];
  }
  const names = untold.map(({ name }) => name).join(", ");
  return [
    {
      check,
      result: "warning",
      found: `publicUrl is not set: ${names} ${untold.length === 1 ? "is" : "are"} not told where to report, and to hand over texts from phones`,
      advice:
        "Set publicUrl to the address under which carriers reach this server; carillon providers show tells what each of them needs.",
    },
  ];
}
