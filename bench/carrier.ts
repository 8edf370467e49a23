/** A carrier of texts for the benchmarks: see `carrier-program.ts`. */

import { type Child, startProgram } from "./processes.ts";
import { untilDone } from "./watchdog.ts";

/** How the carrier answers. */
export interface CarrierOptions {
  /** Each text is answered after so long. */
  readonly answerMs: number;
}

/** Counted since the last reset. Instants are monotonic milliseconds. */
export interface CarrierState {
  readonly texts: number;
  /** Different texts among them. */
  readonly different: number;
  /** Of the last text. */
  readonly lastAt: number;
  /** Connections that were open at a time, at most. */
  readonly connections: number;
}

export type CarrierQuestion = "reset" | "state";

export interface Carrier extends Child {
  /** Counts from 0. */
  reset(): Promise<void>;
  state(): Promise<CarrierState>;
  /** @throws Error when nothing moved for long */
  until(texts: number): Promise<CarrierState>;
}

export async function startCarrier(options: CarrierOptions): Promise<Carrier> {
  const program = await startProgram("carrier-program.ts", options);
  const state = () => program.ask<CarrierState>({ question: "state" });
  return {
    ...program,
    async reset() {
      await program.ask({ question: "reset" });
    },
    state,
    until: (texts) =>
      untilDone(
        `${texts} texts`,
        state,
        (seen) => seen.texts >= texts,
        (seen) => seen.texts,
      ),
  };
}

/** What Carillon's configuration says of it. */
export function carrierProvider({ port }: Child): object {
  return {
    type: "http",
    name: "carrier",
    baseUrl: `http://127.0.0.1:${port}`,
    callbackUrl: "http://127.0.0.1/receivers/secret/carrier",
    page: {
      title: "Carrier",
      baseUrl: `http://127.0.0.1:${port}`,
      send: { path: "/texts", json: { to: "{to}", text: "{text}" } },
      answer: { format: "json", id: "id" },
      callbacks: [
        {
          path: "/status",
          format: "form",
          cases: [
            {
              status: {
                id: "id",
                state: "state",
                states: { DONE: "delivered" },
              },
            },
          ],
        },
      ],
    },
  };
}
