/**
 * Pages of 100 out of 1,000,000 subscriptions over the API: deep ones, by
 * offset and by marker, against the first one.
 */

import {
  call,
  createDataFolder,
  startCarillon,
  subscriptionsPath,
} from "../carillon.ts";
import { atMost, type BenchResult, figure } from "../result.ts";
import { seedTopic } from "../seed.ts";
import { alternate, median, medianRatio } from "../statistics.ts";

export async function benchPaging({
  subscribers = 1_000_000,
  pages = 200,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using data = await createDataFolder();
  await seedTopic(data.path, "paged", subscribers, 9);
  await using carillon = await startCarillon(data.path);
  const offset = Math.floor(subscribers * 0.9);
  const page = async (query: string): Promise<Page> => {
    const found = await call<Page>(
      carillon,
      "GET",
      `${subscriptionsPath()}?limit=100&${query}`,
    );
    if (found.subscriptions.length === 100) return found;
    throw new Error(`no full page: ${JSON.stringify(found).slice(0, 200)}`);
  };
  const timed = (query: string) => async () => {
    const begun = performance.now();
    for (let n = 0; n < pages; n++) await page(query);
    return (performance.now() - begun) / pages;
  };
  const before = await page(`offset=${offset - 100}`);
  const marker = before.subscriptions.at(-1)?.subscription_urn ?? "";
  const times = await alternate(rounds, {
    first: timed("offset=0"),
    offset: timed(`offset=${offset}`),
    marker: timed(`marker=${encodeURIComponent(marker)}`),
  });
  return {
    name: `pages of 100 out of ${subscribers.toLocaleString("en")} subscriptions`,
    rows: [
      figure("first page", median(times.first), "ms"),
      atMost("by offset ÷ first", medianRatio(times.offset, times.first), 3),
      atMost("by marker ÷ first", medianRatio(times.marker, times.first), 3),
    ],
  };
}

interface Page {
  readonly subscriptions: readonly { readonly subscription_urn: string }[];
}
