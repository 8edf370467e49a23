/** The protocol email. */

import { maskMailAddress, type ProtocolDefinition } from "@carillon/core";
import { problemWithMailAddress } from "./mail-address.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The definition of `email`. */
export const emailProtocol: ProtocolDefinition = {
  name: "email",
  isSmn: true,
  endpointForm: "a mail address such as name@example.com",
  problemWithEndpoint: problemWithMailAddress,
  maskEndpoint: maskMailAddress,
  // Longer than the default schedule of retries, which takes up to 54 hours.
  defaultLifeSeconds: 72 * 3600,
  // SMN's figures.
  confirmation: [
    { max: 20, windowMs: hourMs, pauseMs: hourMs },
    { max: 40, windowMs: 2 * dayMs, pauseMs: 7 * dayMs },
  ],
};
