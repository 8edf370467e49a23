/** What is said while a stream is followed over a broken connection. */

export function connectionText(
  state: "lost" | "restored",
  url: string,
): string {
  return state === "lost"
    ? `Lost the connection to ${url}; trying again.`
    : `Connected to ${url} again; what happened meanwhile follows.`;
}
