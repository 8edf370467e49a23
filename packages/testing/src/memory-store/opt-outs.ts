/** Who does not want texts, in the in-memory store. */

import type { OptOut, OptOutKey } from "@carillon/core";

export class MemoryOptOuts {
  readonly #optOuts = new Map<string, OptOut>();

  findOptOuts(recipient: string): readonly OptOut[] {
    return this.#sorted().filter((it) => it.recipient === recipient);
  }

  putOptOut(optOut: OptOut): void {
    this.#optOuts.set(keyOf(optOut), optOut);
  }

  removeOptOut(recipient: string, sender: string | undefined): boolean {
    return this.#optOuts.delete(
      keyOf({ recipient, ...(sender !== undefined && { sender }) }),
    );
  }

  listOptOuts({
    limit,
    after,
  }: {
    readonly limit: number;
    readonly after?: OptOutKey;
  }): readonly OptOut[] {
    return this.#sorted()
      .filter((it) => after === undefined || compare(it, after) > 0)
      .slice(0, limit);
  }

  #sorted(): OptOut[] {
    return [...this.#optOuts.values()].sort(compare);
  }
}

function keyOf({ recipient, sender = "" }: OptOutKey): string {
  return `${recipient}/${sender}`;
}

function compare(a: OptOutKey, b: OptOutKey): number {
  if (a.recipient !== b.recipient) return a.recipient < b.recipient ? -1 : 1;
  const [x, y] = [a.sender ?? "", b.sender ?? ""];
  return x === y ? 0 : x < y ? -1 : 1;
}
