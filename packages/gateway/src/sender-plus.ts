/**
 * Senders that are numbers, with the plus or without it, as a carrier writes
 * them. Names and short codes stay as they are.
 */

/** A plus before 7 to 15 digits. */
export function withPlus(sender: string): string {
  return /^\d{7,15}$/.test(sender) ? `+${sender}` : sender;
}

/** 7 to 15 digits without the plus before them. */
export function withoutPlus(sender: string): string {
  return /^\+\d{7,15}$/.test(sender) ? sender.slice(1) : sender;
}
