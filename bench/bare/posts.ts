/**
 * The fan-out's rival: as many POSTs as fast as undici makes them, nothing
 * kept. Answers {@link PostsQuestion} with the seconds it took.
 */

import { receiverAddress } from "../addresses.ts";
import { alert, topicUrn } from "../carillon.ts";
import { serveQuestions } from "../program.ts";
import { NotificationWriter } from "./notification.ts";
import { concurrency, post } from "./poster.ts";

export interface PostsQuestion {
  /** The sink's. */
  readonly port: number;
  readonly posts: number;
  /** Default: spread over all receivers' addresses. */
  readonly host?: string | undefined;
}

const writer = new NotificationWriter();

serveQuestions(0, async ({ port, posts, host }: PostsQuestion) => {
  const begun = performance.now();
  const { headers, body } = await writer.write(topicUrn("fan-out"), alert);
  let next = 0;
  const lane = async () => {
    while (next < posts) {
      const n = next++;
      await post({
        origin: `http://${host ?? receiverAddress(n)}:${port}`,
        path: `/hook/${n}`,
        headers,
        body,
      });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { seconds: (performance.now() - begun) / 1000 };
});
