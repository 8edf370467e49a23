/** What a guard lets through: rules as data, each with its default. */

/** Limits count texts; 0 is none. Spend is in units of the policy's currency. */
export interface GuardRules {
  /**
   * ISO 3166 codes: exactly these countries. Empty: all but those with a high
   * risk. `*`: all.
   */
  readonly countries: readonly string[];
  /** ISO 3166 codes that are refused whatever `countries` says. */
  readonly deniedCountries: readonly string[];
  /** Whether texts go to premium-rate and shared-cost numbers. */
  readonly allowPremium: boolean;
  /** Whether texts go to satellite phones and international networks. */
  readonly allowSatellite: boolean;
  /** Whether texts go to numbers with fewer digits than any of their country. */
  readonly allowInvalid: boolean;
  readonly numberPerHour: number;
  /** In twelve hours. */
  readonly numberPerHalfDay: number;
  /** Of class `otp`, to one number. */
  readonly otpPerTenMinutes: number;
  /** Of class `otp`, to one number. */
  readonly otpPerHour: number;
  /** To the thousand numbers that differ in their last three digits only. */
  readonly prefixPerHour: number;
  readonly countryPerHour: number;
  readonly projectPerHour: number;
  /** Of one class of one project. */
  readonly classPerHour: number;
  /**
   * So many numbers of one prefix, each a little above or below the one before,
   * are taken for pumping: the last of them and what follows is held. 0: never.
   */
  readonly sequenceLength: number;
  /** Of all projects together, in a day of UTC. 0: no limit. */
  readonly spendPerDay: number;
  /** Of all projects together, in a month of UTC. 0: no limit. */
  readonly spendPerMonth: number;
  /** Of each project, in a day of UTC. 0: no limit. */
  readonly projectSpendPerDay: number;
  /** Of each project, in a month of UTC. 0: no limit. */
  readonly projectSpendPerMonth: number;
}

/** What holds where nothing else is said. */
export const defaultGuardRules: GuardRules = {
  countries: [],
  deniedCountries: [],
  allowPremium: false,
  allowSatellite: false,
  allowInvalid: false,
  numberPerHour: 60,
  numberPerHalfDay: 200,
  otpPerTenMinutes: 5,
  otpPerHour: 10,
  prefixPerHour: 500,
  countryPerHour: 0,
  projectPerHour: 0,
  classPerHour: 0,
  sequenceLength: 20,
  spendPerDay: 0,
  spendPerMonth: 0,
  projectSpendPerDay: 0,
  projectSpendPerMonth: 0,
};

/** Whether any of the rules needs the price of a text. */
export function limitsSpend(rules: GuardRules): boolean {
  return (
    rules.spendPerDay > 0 ||
    rules.spendPerMonth > 0 ||
    rules.projectSpendPerDay > 0 ||
    rules.projectSpendPerMonth > 0
  );
}
