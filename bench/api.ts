/** The few calls of the API that benchmarks make. */

import { authorization } from "./process.ts";
import { publishPath } from "./subscriptions.ts";

export async function publish(
  port: number,
  topic: string,
  message = "benchmark",
  attributes: readonly unknown[] = [],
): Promise<string> {
  const response = await fetch(
    `http://127.0.0.1:${port}${publishPath(topic)}`,
    {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify({
        subject: "bench",
        message,
        ...(attributes.length > 0 && { message_attributes: attributes }),
      }),
    },
  );
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { message_id: string }).message_id;
}

/** Waits until the ledger has all deliveries of a message; answers the counts. */
export async function untilFannedOut(
  port: number,
  messageId: string,
  deliveries: number,
): Promise<Record<string, number>> {
  for (;;) {
    const response = await fetch(
      `http://127.0.0.1:${port}/api/v2/messages/${messageId}`,
      { headers: { authorization } },
    );
    const { counts, fannedOut } = (await response.json()) as {
      counts: Record<string, number>;
      fannedOut: boolean;
    };
    const known = Object.values(counts).reduce((sum, n) => sum + n, 0);
    if (fannedOut && known >= deliveries) return counts;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
