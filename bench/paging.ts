/**
 * Pages of 100 out of 1,000,000 subscriptions over the API: deep ones, by
 * offset and by marker, against the first one.
 */

import { authorization, benchCredentials, startCarillon } from "./process.ts";
import { atMost, type BenchResult, figure, median } from "./result.ts";
import { createDataFolder, seedTopic } from "./subscriptions.ts";

export async function benchPaging({
  subscribers = 1_000_000,
  pages = 200,
} = {}): Promise<BenchResult> {
  await using data = await createDataFolder();
  await seedTopic(data.path, "paged", endpoints(subscribers));
  await using carillon = await startCarillon(data.path);
  const offset = Math.floor(subscribers * 0.9);
  const page = async (query: string): Promise<Page> => {
    const response = await fetch(
      `http://127.0.0.1:${carillon.port}/v2/${benchCredentials.projectId}/notifications/subscriptions?limit=100&${query}`,
      { headers: { authorization } },
    );
    const body = (await response.json()) as Page;
    if (body.subscriptions?.length !== 100) {
      throw new Error(`no full page: ${JSON.stringify(body).slice(0, 200)}`);
    }
    return body;
  };
  const deep = await page(`offset=${offset - 100}`);
  const marker = deep.subscriptions.at(-1)?.subscription_urn ?? "";
  const queries = {
    first: "offset=0",
    offset: `offset=${offset}`,
    marker: `marker=${encodeURIComponent(marker)}`,
  };
  const times = { first: [0], offset: [0], marker: [0] };
  for (let i = 0; i < pages; i++) {
    for (const name of ["first", "offset", "marker"] as const) {
      const begun = performance.now();
      await page(queries[name]);
      times[name].push(performance.now() - begun);
    }
  }
  const first = median(times.first);
  return {
    name: `pages of 100 out of ${subscribers.toLocaleString("en")} subscriptions`,
    rows: [
      figure("first page", first, "ms"),
      atMost("by offset ÷ first", median(times.offset) / first, 3, "×"),
      atMost("by marker ÷ first", median(times.marker) / first, 3, "×"),
    ],
  };
}

interface Page {
  readonly subscriptions: readonly { readonly subscription_urn: string }[];
}

function* endpoints(n: number): Generator<string> {
  for (let i = 0; i < n; i++) yield `http://127.0.0.1:9/hook/${i}`;
}
