/** What holds texts before a carrier gets them; for operators. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  type JsonObject,
  readObject,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** How many texts a reason held. */
export interface HeldTexts extends JsonObject {
  /** Such as `number_limit` or `high_risk_country`. */
  readonly reason: string;
  readonly count: number;
}

/** A number, or the prefix of several, whose texts were held. */
export interface HeldNumber extends JsonObject {
  /** Masked. */
  readonly number: string;
  /** ISO 3166 code; absent: of none. */
  readonly country?: string | undefined;
  readonly count: number;
}

/** What texts cost in a period, against its limit. */
export interface Spend extends JsonObject {
  readonly scope: "all" | "project";
  readonly period: "day" | "month";
  /** `YYYY-MM-DD` or `YYYY-MM`, of UTC. */
  readonly date: string;
  /** In the policy's currency. */
  readonly amount: number;
  readonly limit: number;
  /** Of the limit. */
  readonly percent: number;
}

/** The limits in force, and what they held. */
export interface GuardReport extends JsonObject {
  /** As `sms.guard` of the configuration has them; 0 is no limit. */
  readonly rules: JsonObject;
  /** In the last 24 hours; most first. */
  readonly held: readonly HeldTexts[];
  /** In 24 hours, by the node that answered since its start; most first. */
  readonly topNumbers: readonly HeldNumber[];
  /** The same of numbers without their last three digits. */
  readonly topPrefixes: readonly HeldNumber[];
  /** Against the limits there are. */
  readonly spend: readonly Spend[];
  /** Of the policy; absent when it names none. */
  readonly currency?: string | undefined;
}

/** Absent: spend of all projects alone. */
export interface GuardQuery {
  /** Whose spend to show, too: the id of a project. */
  readonly project?: string | undefined;
}

/** Shows what guards hold. */
export interface Guards {
  get(query?: GuardQuery, options?: RequestOptions): Promise<GuardReport>;
}

export function createGuards(api: Api): Guards {
  return {
    async get({ project } = {}, options) {
      const path = ["guards"];
      const query = { project };
      const { body } = await api({ method: "GET", path, query }, options);
      return {
        ...body,
        rules: readObject(body, "rules"),
        held: readObjects(body, "held").map((it) => ({
          ...it,
          reason: readText(it, "reason"),
          count: findNumber(it, "count") ?? 0,
        })),
        topNumbers: readObjects(body, "topNumbers").map(toHeldNumber),
        topPrefixes: readObjects(body, "topPrefixes").map(toHeldNumber),
        spend: readObjects(body, "spend").map(toSpend),
        currency: findText(body, "currency"),
      };
    },
  };
}

function toHeldNumber(it: JsonObject): HeldNumber {
  return {
    ...it,
    number: readText(it, "number"),
    country: findText(it, "country"),
    count: findNumber(it, "count") ?? 0,
  };
}

function toSpend(it: JsonObject): Spend {
  return {
    ...it,
    scope: it.scope === "project" ? "project" : "all",
    period: it.period === "month" ? "month" : "day",
    date: readText(it, "date"),
    amount: findNumber(it, "amount") ?? 0,
    limit: findNumber(it, "limit") ?? 0,
    percent: findNumber(it, "percent") ?? 0,
  };
}
