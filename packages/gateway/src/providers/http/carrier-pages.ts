/** The carriers whose pages come with the gateway: a line for each. */

import type { ProviderType } from "../../provider-type.ts";
import type { CarrierPage } from "./page.ts";
import africastalking from "./pages/africastalking.json" with { type: "json" };
import gatewayapi from "./pages/gatewayapi.json" with { type: "json" };
import pswin from "./pages/pswin.json" with { type: "json" };
import telerivet from "./pages/telerivet.json" with { type: "json" };
import vianett from "./pages/vianett.json" with { type: "json" };
import yunpian from "./pages/yunpian.json" with { type: "json" };
import { defineCarrierPage } from "./provider.ts";

const pages = {
  africastalking,
  gatewayapi,
  pswin,
  telerivet,
  vianett,
  yunpian,
};

/** Types of providers, by the pages' names. */
export const carrierPageTypes: readonly ProviderType[] = Object.entries(
  pages,
).map(([type, page]) =>
  // A test looks whether it is one.
  defineCarrierPage(type, page as unknown as CarrierPage),
);
