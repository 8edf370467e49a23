/** How messages are asked for, as it stands in the query of a request. */

import { CarillonError, pullLimits } from "@carillon/core";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";

const seconds = (ms: number) => ms / 1000;

const optionCode = failsWith("PULL_OPTION_INVALID");

/** A parameter whose range `readNumber` says. */
const parameter = (description: string, extra: object = {}) =>
  Type.Optional(
    Type.String({ maxLength: 32, description, ...optionCode, ...extra }),
  );

const leaseText = `Seconds that what is handed out stays hidden from others, ${seconds(pullLimits.minLeaseMs)} to ${seconds(pullLimits.maxLeaseMs)}; default: \`pull.leaseMs\` of the configuration`;

/** Of a long poll. */
export const receiveQuery = Type.Object({
  max: parameter(`Messages at most, 1 to ${pullLimits.max}`, {
    default: String(pullLimits.defaultMax),
  }),
  wait: parameter(
    `Seconds to wait for a first one, 0 to ${pullLimits.waitSeconds}`,
    { default: "0" },
  ),
  lease: parameter(leaseText),
});

/** Of a stream. */
export const streamQuery = Type.Object({
  credit: parameter(
    `Messages that are handed out and neither confirmed nor given back, at most; 1 to ${pullLimits.maxCredit}`,
    { default: String(pullLimits.credit) },
  ),
  lease: parameter(leaseText),
  after: parameter(
    "The id of the last event that was seen, to go on behind it; the header `Last-Event-ID` wins",
  ),
});

/** @throws CarillonError PULL_OPTION_INVALID */
export function readReceiveOptions(query: {
  readonly max?: string;
  readonly wait?: string;
  readonly lease?: string;
}) {
  const { max, wait } = query;
  return {
    max: readNumber("max", max, 1, pullLimits.max) ?? pullLimits.defaultMax,
    waitMs: (readNumber("wait", wait, 0, pullLimits.waitSeconds) ?? 0) * 1000,
    leaseMs: readLease(query.lease),
  };
}

/**
 * @param header `Last-Event-ID`
 * @throws CarillonError PULL_OPTION_INVALID
 */
export function readStreamOptions(
  query: {
    readonly credit?: string;
    readonly lease?: string;
    readonly after?: string;
  },
  header: string | readonly string[] | undefined,
) {
  const after =
    typeof header === "string" && header !== "" ? header : query.after;
  return {
    credit:
      readNumber("credit", query.credit, 1, pullLimits.maxCredit) ??
      pullLimits.credit,
    leaseMs: readLease(query.lease),
    lastEventId: readNumber("Last-Event-ID", after, 0, Number.MAX_SAFE_INTEGER),
  };
}

function readLease(text: string | undefined): number | undefined {
  const lease = readNumber(
    "lease",
    text,
    seconds(pullLimits.minLeaseMs),
    seconds(pullLimits.maxLeaseMs),
  );
  return lease && lease * 1000;
}

function readNumber(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new CarillonError(
    "PULL_OPTION_INVALID",
    `Invalid ${name}: a whole number from ${min} to ${max} is expected.`,
  );
}
