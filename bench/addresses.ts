/** The addresses that receivers are spread over: all reach the one sink. */

/** From 127.0.0.2 on; the last is 127.0.3.233. */
export const addressCount = 1000;

/** The n-th address; begins again after {@link addressCount}. */
export function receiverAddress(n: number): string {
  const host = 2 + (n % addressCount);
  return `127.0.${host >> 8}.${host & 255}`;
}
