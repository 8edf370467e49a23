/** pymess's numbers of states, and what each is here. */

/** What becomes of what pymess would still send: it is kept from it, or sent. */
export type PendingChoice = "cancel" | "send";

/** A state here, and why it is none that pymess has. */
export interface ImportedState {
  /** pymess's name of it. */
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
}

/** By number; `old`: before migration 0016, which made two of the one error. */
export const pymessStates = {
  sms: {
    1: "WAITING",
    2: "UNKNOWN",
    3: "SENDING",
    4: "SENT",
    5: "ERROR_UPDATE",
    6: "DEBUG",
    7: "DELIVERED",
    8: "ERROR",
    9: "ERROR_RETRY",
  },
  oldSms: {
    1: "WAITING",
    2: "UNKNOWN",
    3: "SENDING",
    4: "SENT",
    5: "ERROR",
    6: "DEBUG",
    7: "DELIVERED",
  },
  email: {
    1: "WAITING",
    2: "SENDING",
    3: "SENT",
    4: "ERROR",
    5: "DEBUG",
    6: "ERROR_RETRY",
  },
} as const;

type NameOf<Names> = Names[keyof Names];
type StateName = NameOf<(typeof pymessStates)["sms"]>;

/** Of what is over, or whose end nobody knows. */
const states: Readonly<
  Record<Exclude<StateName, "WAITING" | "ERROR_RETRY">, string>
> = {
  UNKNOWN: "unknown",
  // It was handed over; whoever would hear of it is gone.
  SENDING: "unknown",
  SENT: "sent",
  DELIVERED: "delivered",
  DEBUG: "debug",
  ERROR_UPDATE: "rejected",
  ERROR: "failed",
};

/** `undefined`: pymess has no such number. */
export function toImportedState(
  numbers: keyof typeof pymessStates,
  number: number,
  pending: PendingChoice,
): ImportedState | undefined {
  const names: Readonly<Record<number, StateName>> = pymessStates[numbers];
  const name = names[number];
  switch (name) {
    case undefined:
      return undefined;
    case "WAITING":
    case "ERROR_RETRY":
      if (pending === "send") {
        return { name, state: name === "WAITING" ? "waiting" : "retrying" };
      }
      return { name, state: "cancelled", reason: `imported: it was ${name}` };
    default:
      return { name, state: states[name] };
  }
}
