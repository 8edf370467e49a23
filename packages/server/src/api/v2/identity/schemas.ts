/** Parts that the schemas of identity have in common. */

import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";

export const name = Type.String({
  maxLength: 64,
  description: "1 to 64 characters on one line",
  ...failsWith("IDENTITY_INVALID"),
});

export const password = Type.String({
  minLength: 8,
  maxLength: 1024,
  description: "8 to 1024 characters; made up, and shown once, when absent",
  ...failsWith("IDENTITY_INVALID"),
});

/** Ids are looked up: one that cannot be is simply not found. */
export function idOf(description: string) {
  return Type.String({ maxLength: 128, description });
}

export const domainId = idOf("The domain it is in; by default the caller's");

/** The body of what can only be switched on and off. */
export const Switch = Type.Object({
  enabled: Type.Boolean({
    description: "True: enables it; false: disables it",
  }),
});
