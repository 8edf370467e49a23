/**
 * Guards: what texts must pass before a carrier gets them, and what was held.
 * Carriers and their bills are the whole installation's: for operators.
 */

import { maskPhoneNumber } from "@carillon/core";
import {
  countryOf,
  type Guard,
  type HeldNumber as HeldDigits,
  holdReasons,
  type SpendStatus,
} from "@carillon/gateway";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";

export interface GuardViewPorts {
  /** Absent: texts pass no guard. */
  readonly smsGuard?: Pick<Guard, "rules" | "summary" | "spend"> | undefined;
  /** Of all costs, as the policy that holds now has it. */
  readonly currency?: (() => string | undefined) | undefined;
}

const Held = Type.Object(
  {
    reason: Type.Enum([...holdReasons], { description: "What held them" }),
    count: Type.Integer({ description: "Texts" }),
  },
  { title: "HeldTexts" },
);

const HeldNumber = Type.Object(
  {
    number: Type.String({ description: "Masked: its first and last digits" }),
    country: Type.Optional(
      Type.String({ description: "ISO 3166 code; absent: of none" }),
    ),
    count: Type.Integer({ description: "Texts that were held" }),
  },
  { title: "HeldNumber" },
);

const Spend = Type.Object(
  {
    scope: Type.Enum(["all", "project"], {
      description: "Whose: all projects together, or the caller's",
    }),
    period: Type.Enum(["day", "month"], { description: "Of UTC" }),
    date: Type.String({ description: "`YYYY-MM-DD` or `YYYY-MM`, of UTC" }),
    amount: Type.Number({ description: "What is spent, in the currency" }),
    limit: Type.Number({ description: "What may be spent" }),
    percent: Type.Number({ description: "Of the limit, in whole percent" }),
  },
  { title: "Spend" },
);

const texts = (what: string) =>
  Type.Integer({ description: `${what}; 0: no limit` });

const money = (what: string) =>
  Type.Number({ description: `${what}, in the currency; 0: no limit` });

const Rules = Type.Object(
  {
    countries: Type.Array(Type.String(), {
      description:
        "Exactly these; empty: all but those with a high risk; `*`: all",
    }),
    deniedCountries: Type.Array(Type.String(), {
      description: "Never these, whatever `countries` says",
    }),
    allowPremium: Type.Boolean({
      description: "Premium-rate and shared-cost numbers",
    }),
    allowSatellite: Type.Boolean({
      description: "Satellite phones and international networks",
    }),
    allowInvalid: Type.Boolean({ description: "Numbers that cannot be" }),
    numberPerHour: texts("Texts to one number"),
    numberPerHalfDay: texts("Texts to one number in 12 hours"),
    otpPerTenMinutes: texts("Texts of class otp to one number"),
    otpPerHour: texts("Texts of class otp to one number"),
    prefixPerHour: texts("Texts to numbers of one prefix"),
    countryPerHour: texts("Texts to one country"),
    projectPerHour: texts("Texts of one project"),
    classPerHour: texts("Texts of one class of one project"),
    sequenceLength: texts("Recipients that count up or down"),
    spendPerDay: money("Spend of all projects"),
    spendPerMonth: money("Spend of all projects"),
    projectSpendPerDay: money("Spend of each project"),
    projectSpendPerMonth: money("Spend of each project"),
  },
  {
    title: "GuardRules",
    description: "As `sms.guard` of the configuration has them",
  },
);

const Guards = Type.Object(
  {
    rules: Rules,
    held: Type.Array(Held, {
      description: "In the last 24 hours, on all nodes; most first",
    }),
    topNumbers: Type.Array(HeldNumber, {
      description:
        "Whose texts were held most in 24 hours, by this node since its start",
    }),
    topPrefixes: Type.Array(HeldNumber, {
      description: "The same of numbers without their last three digits",
    }),
    spend: Type.Array(Spend, { description: "Against the limits there are" }),
    currency: Type.Optional(Type.String({ description: "Of the policy" })),
  },
  { title: "Guards" },
);

export function smsGuardRoutes(
  app: HttpApp,
  { smsGuard, currency: currencyOf }: GuardViewPorts,
): void {
  app.get(
    "/guards",
    {
      config: { operation: "guards.read" },
      schema: {
        summary: "Shows what guards hold",
        description:
          "The limits in force for texts, what they held in the last 24 hours, and what is spent. Deliveries that were held end as `suppressed` with error class `guard`.",
        tags: ["Guards"],
        querystring: Type.Object({
          project: Type.Optional(
            Type.String({
              pattern: "^[0-9a-f]{32}$",
              description: "Whose spend to show, too",
            }),
          ),
        }),
        response: { 200: Guards, ...refusals },
      },
    },
    async ({ query: { project } }) => {
      if (!smsGuard) throw new RequestError("NOT_OFFERED");
      const currency = currencyOf?.();
      const summary = await smsGuard.summary();
      const spend =
        project === undefined ? summary.spend : await smsGuard.spend(project);
      return {
        rules: {
          ...summary.rules,
          countries: [...summary.rules.countries],
          deniedCountries: [...summary.rules.deniedCountries],
        },
        held: holdReasons
          .map((reason) => ({ reason, count: summary.held[reason] ?? 0 }))
          .filter(({ count }) => count > 0)
          .sort((a, b) => b.count - a.count),
        topNumbers: summary.topNumbers.map((it) => toHeldNumber(it)),
        topPrefixes: summary.topPrefixes.map((it) => toHeldNumber(it, "…")),
        spend: spend.map(toSpend),
        ...(currency !== undefined && { currency }),
      };
    },
  );
}

function toHeldNumber({ digits, count }: HeldDigits, end = "") {
  const country = countryOf(digits);
  return {
    number: `${maskPhoneNumber(`+${digits}`)}${end}`,
    ...(country !== undefined && { country }),
    count,
  };
}

function toSpend({ period, date, project, amount, limit }: SpendStatus) {
  return {
    scope: project === undefined ? ("all" as const) : ("project" as const),
    period,
    date,
    amount,
    limit,
    percent: Math.floor((amount / limit) * 100),
  };
}
