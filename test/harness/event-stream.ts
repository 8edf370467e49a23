/** A client of Server-Sent Events that keeps what it is told. */

import type { Reachable } from "./api.ts";
import { basicAuthorization } from "./carillon-process.ts";

export interface ToldEvent {
  readonly name: string;
  readonly id?: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

export class EventStream implements AsyncDisposable {
  readonly events: ToldEvent[] = [];
  /** Of the last event that had one. */
  lastId: string | undefined;
  /** Resolves when the stream ends, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.#abort = abort;
    this.ended = this.#read(response).catch(() => {});
  }

  /** Of `/api/v2/events`; as {@link openAt}. */
  static open(
    server: Reachable,
    query = "",
    lastId?: string,
  ): Promise<EventStream> {
    return EventStream.openAt(server, `/api/v2/events${query}`, lastId);
  }

  /** Resolves once the server has answered that it streams. */
  static async openAt(
    { url }: Reachable,
    path: string,
    lastId?: string,
  ): Promise<EventStream> {
    const abort = new AbortController();
    const response = await fetch(url + path, {
      headers: {
        authorization: basicAuthorization,
        ...(lastId !== undefined && { "last-event-id": lastId }),
      },
      signal: abort.signal,
    });
    if (response.ok) return new EventStream(response, abort);
    throw new Error(`${response.status} ${await response.text()}`);
  }

  /** By name: those told one by one, and those in summaries. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    const add = (name: string, count: number) => {
      counts[name] = (counts[name] ?? 0) + count;
    };
    for (const { name, data } of this.events) {
      if (name !== "summary") add(name, 1);
      else {
        const sums = data.counts as Record<string, number>;
        for (const [type, count] of Object.entries(sums)) add(type, count);
      }
    }
    return counts;
  }

  async #read(response: Response): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split(
        "\n\n",
      );
      rest = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = new Map(
      block.split("\n").map((line): [string, string] => {
        const cut = line.indexOf(": ");
        return [line.slice(0, cut), line.slice(cut + 2)];
      }),
    );
    const name = fields.get("event");
    const data = fields.get("data");
    if (name === undefined || data === undefined) return;
    const id = fields.get("id");
    if (id !== undefined) this.lastId = id;
    this.events.push({ name, id, data: JSON.parse(data) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }
}
