/**
 * Countries to which no text goes unless the allow-list names them: where false
 * sign-ups are made to earn from the texts they cause ("SMS pumping"), because a
 * text is dear there or whole ranges of numbers can be rented. Our own reading of
 * what carriers publish; a list of where to be careful, not of where people are.
 */

/** Why a country stands in the list. */
export type HighRiskReason =
  /** A text costs a multiple of what it costs elsewhere; pumping is reported. */
  | "price"
  /** Ranges of numbers there are named in reports of pumping. */
  | "ranges"
  /** Carriers reach it by few and changing routes, which are abused. */
  | "routes";

/** By ISO 3166 code. */
export const highRiskCountries: Readonly<Record<string, HighRiskReason>> = {
  AF: "routes",
  AZ: "price",
  BD: "price",
  BF: "ranges",
  BI: "ranges",
  BJ: "ranges",
  BY: "price",
  CD: "ranges",
  CF: "routes",
  CU: "routes",
  DJ: "ranges",
  DZ: "price",
  ER: "routes",
  GN: "ranges",
  GQ: "routes",
  GW: "ranges",
  ID: "price",
  IQ: "price",
  IR: "routes",
  KG: "price",
  KH: "ranges",
  KM: "ranges",
  KP: "routes",
  KZ: "price",
  LA: "ranges",
  LK: "price",
  LR: "ranges",
  LY: "routes",
  MG: "price",
  ML: "ranges",
  MM: "price",
  MR: "ranges",
  NE: "ranges",
  NG: "price",
  PK: "price",
  PS: "price",
  RU: "price",
  SD: "routes",
  SL: "ranges",
  SO: "routes",
  SS: "routes",
  SY: "routes",
  TD: "ranges",
  TG: "ranges",
  TJ: "price",
  TL: "ranges",
  TM: "routes",
  TN: "price",
  UZ: "price",
  YE: "price",
};
