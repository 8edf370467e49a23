/**
 * The fan-out's other rival: BullMQ on Redis, a job for each POST. Answers
 * {@link PostsQuestion} with the seconds from adding the jobs to the end of
 * the last.
 */

import { Queue, Worker } from "bullmq";
import { receiverAddress } from "../addresses.ts";
import { alert, topicUrn } from "../carillon.ts";
import { programOptions, serveQuestions } from "../program.ts";
import { NotificationWriter } from "./notification.ts";
import { concurrency, post } from "./poster.ts";
import type { PostsQuestion } from "./posts.ts";

interface Job {
  readonly origin: string;
  readonly path: string;
}

const { redisPort } = programOptions<{ redisPort: number }>();
const connection = { host: "127.0.0.1", port: redisPort };
const queue = new Queue<Job>("posts", { connection });
const writer = new NotificationWriter();
let message = await writer.write(topicUrn("fan-out"), alert);
let left = 0;
let onDone: () => void = () => {};

const worker = new Worker<Job>(
  "posts",
  async ({ data }) => {
    await post({ ...data, headers: message.headers, body: message.body });
  },
  { connection, concurrency, removeOnComplete: { count: 0 } },
);
worker.on("completed", () => {
  if (--left === 0) onDone();
});
worker.on("failed", (_job, error) => {
  throw error;
});

serveQuestions(0, async ({ port, posts, host }: PostsQuestion) => {
  left = posts;
  const begun = performance.now();
  const done = new Promise<void>((resolve) => {
    onDone = resolve;
  });
  message = await writer.write(topicUrn("fan-out"), alert);
  for (let from = 0; from < posts; from += 1000) {
    await queue.addBulk(
      Array.from({ length: Math.min(1000, posts - from) }, (_, i) => ({
        name: "post",
        data: {
          origin: `http://${host ?? receiverAddress(from + i)}:${port}`,
          path: `/hook/${from + i}`,
        },
      })),
    );
  }
  await done;
  return { seconds: (performance.now() - begun) / 1000 };
});
