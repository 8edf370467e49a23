/** Which numbers a guard lets texts go to, by their kind and country. */

import { countryOf } from "../policy/country.ts";
import type { GuardRules } from "./guard-rules.ts";
import { highRiskCountries } from "./high-risk-countries.ts";
import type { Hold } from "./hold.ts";

/**
 * The kind of a number in international form: `premium-rate`, `shared-cost` and
 * others, in the words of `awesome-phonenumber`; `too-short` when every number of
 * its country has more digits; `undefined` when it is not known.
 */
export type NumberTypeLookup = (
  number: string,
) => Promise<string | undefined> | string | undefined;

// ITU-T E.164, list of assigned codes: 870 Inmarsat, 878 personal numbers, 881
// satellite systems, 882 and 883 international networks.
const satellitePrefix = /^8(?:7[0-9]|81|82|83)/;
// 979 is the international premium rate service, 900 that of North America.
const premiumPrefix = /^(?:979|1900)/;

/**
 * @param digits the number without its plus
 * @param place what stands before the names of rules in sentences
 */
export async function holdByNumber(
  digits: string,
  rules: GuardRules,
  lookUp: NumberTypeLookup | undefined,
  place: string,
): Promise<Hold | undefined> {
  if (!rules.allowSatellite && satellitePrefix.test(digits)) {
    return {
      reason: "satellite_number",
      error: `The guard held it: texts to satellite phones and international networks (+${digits.slice(0, 3)}) are not allowed. To allow them, set ${place}allowSatellite.`,
    };
  }
  const country = countryOf(digits);
  const byCountry = holdByCountry(country, rules, place);
  if (byCountry !== undefined) return byCountry;
  const { allowPremium, allowInvalid } = rules;
  if (allowPremium && allowInvalid) return undefined;
  if (!allowPremium && premiumPrefix.test(digits)) return premiumHold(place);
  // Plans of international networks are not the library's business.
  if (satellitePrefix.test(digits)) return undefined;
  const kind = await lookUp?.(`+${digits}`);
  if (!allowPremium && premiumKinds.has(kind)) return premiumHold(place);
  if (allowInvalid || kind !== "too-short") return undefined;
  return {
    reason: "invalid_number",
    error: `The guard held it: the number is too short, all of ${country ?? "its country"} have more digits. Correct the number; if it is right, set ${place}allowInvalid.`,
  };
}

/** Those whose holder earns from who reaches them, the second by a part. */
const premiumKinds: ReadonlySet<string | undefined> = new Set([
  "premium-rate",
  "shared-cost",
]);

function premiumHold(place: string): Hold {
  return {
    reason: "premium_number",
    error: `The guard held it: texts to premium-rate and shared-cost numbers are not allowed. To allow them, set ${place}allowPremium.`,
  };
}

function holdByCountry(
  country: string | undefined,
  { countries, deniedCountries }: GuardRules,
  place: string,
): Hold | undefined {
  if (country !== undefined && deniedCountries.includes(country)) {
    return {
      reason: "country",
      error: `The guard held it: texts to ${country} are denied. To allow them, take ${country} out of ${place}deniedCountries.`,
    };
  }
  if (countries.includes("*")) return undefined;
  if (countries.length > 0) {
    if (country !== undefined && countries.includes(country)) return undefined;
    return {
      reason: "country",
      error: `The guard held it: texts go to ${shortList(countries)} only, and this is a number of ${country ?? "no known country"}. To allow its country, add it to ${place}countries.`,
    };
  }
  if (country === undefined || !Object.hasOwn(highRiskCountries, country)) {
    return undefined;
  }
  return {
    reason: "high_risk_country",
    error: `The guard held it: ${country} is on the list of countries with a high risk of SMS pumping. To allow it, list the countries you send to, ${country} among them, in ${place}countries.`,
  };
}

/** Sentences have a bound. */
function shortList(countries: readonly string[]): string {
  const shown = countries.slice(0, 10).join(", ");
  const left = countries.length - 10;
  return left > 0 ? `${shown} and ${left} more` : shown;
}
