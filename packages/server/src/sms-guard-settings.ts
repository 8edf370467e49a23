/** What `sms.guard` of the configuration may hold: a key for each rule. */

import { defaultGuardRules, isCountry } from "@carillon/gateway";
import { Type } from "./json-schema.ts";

const maxLimit = 1_000_000_000;

/** No flags: they would be half of all, and belong into a file. */
const common = { group: "SMS", reloadable: true, withoutFlag: true } as const;

/** A limit on texts; 0: no limit. */
function limit(
  name: keyof typeof defaultGuardRules,
  description: string,
  what = "texts",
) {
  const none =
    defaultGuardRules[name] === 0 ? "no limit by default" : "0: no limit";
  return Type.Integer({
    ...common,
    description: `${description}; ${none}.`,
    expected: `a whole number of ${what} from 0 (no limit) to ${maxLimit}`,
    default: defaultGuardRules[name],
    minimum: 0,
    maximum: maxLimit,
  });
}

/** A limit on money, as finely as it is counted; 0: no limit. */
function amount(description: string) {
  return Type.Refine(
    Type.Number({
      ...common,
      description: `${description}; no limit by default.`,
      expected: `a number of units of the currency from 0 (no limit) to ${maxLimit}, with four decimals at most`,
      default: 0,
      minimum: 0,
      maximum: maxLimit,
    }),
    (value) => Number(value.toFixed(4)) === value,
  );
}

function flag(description: string) {
  return Type.Boolean({
    ...common,
    description,
    expected: "true or false",
    default: false,
  });
}

function countries(description: string, isAny: boolean) {
  const star = isAny ? " or *" : "";
  return Type.Array(Type.String(), {
    ...common,
    description,
    expected: `a list of ISO 3166 codes such as DE${star}`,
    default: [],
    example: ["DE", "AT", "CH"],
    uniqueItems: true,
    problem: (value: unknown) => problemWithCountries(value, isAny),
  });
}

/** The section `sms.guard`. */
export const guardSettings = Type.Object({
  countries: countries(
    "Countries that texts go to through carriers: exactly these. When empty, all but those with a high risk of SMS pumping, see the guide on guards; `*` is all of them.",
    true,
  ),
  deniedCountries: countries(
    "Countries that no text goes to through a carrier, whatever `sms.guard.countries` says.",
    false,
  ),
  allowPremium: flag(
    "Whether texts go to premium-rate and shared-cost numbers.",
  ),
  allowSatellite: flag(
    "Whether texts go to satellite phones and international networks (+870 to +879, +881 to +883).",
  ),
  allowInvalid: flag(
    "Whether texts go to numbers that cannot be: with fewer digits than any number of their country.",
  ),
  numberPerHour: limit("numberPerHour", "Texts to one number in an hour"),
  numberPerHalfDay: limit(
    "numberPerHalfDay",
    "Texts to one number in 12 hours",
  ),
  otpPerTenMinutes: limit(
    "otpPerTenMinutes",
    "Texts of class `otp` to one number in 10 minutes",
  ),
  otpPerHour: limit(
    "otpPerHour",
    "Texts of class `otp` to one number in an hour",
  ),
  prefixPerHour: limit(
    "prefixPerHour",
    "Texts in an hour to numbers that differ in their last three digits only",
  ),
  countryPerHour: limit("countryPerHour", "Texts to one country in an hour"),
  projectPerHour: limit("projectPerHour", "Texts of one project in an hour"),
  classPerHour: limit(
    "classPerHour",
    "Texts of one class of one project in an hour",
  ),
  sequenceLength: limit(
    "sequenceLength",
    "Recipients of one project and class that count up or down within ten minutes: the last of so many, and those after it, are held as SMS pumping",
    "numbers",
  ),
  spendPerDay: amount(
    "What texts may cost in a day of UTC, in the policy's currency, by its `costPerSegment`",
  ),
  spendPerMonth: amount("What texts may cost in a month of UTC"),
  projectSpendPerDay: amount(
    "What texts of one project may cost in a day of UTC",
  ),
  projectSpendPerMonth: amount(
    "What texts of one project may cost in a month of UTC",
  ),
});

/** A clause that says what is wrong, `undefined` when nothing is. */
function problemWithCountries(
  value: unknown,
  isAny: boolean,
): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const wrong = value.find(
    (code) => !(isAny && code === "*") && !isCountry(String(code)),
  );
  if (wrong === undefined) return undefined;
  const upper = String(wrong).toUpperCase();
  const meant = isCountry(upper) ? `; did you mean ${upper}?` : "";
  return `expected ISO 3166 codes such as DE${isAny ? ", or *" : ""}, got ${JSON.stringify(wrong)}${meant}`;
}
