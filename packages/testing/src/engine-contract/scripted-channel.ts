/** A channel that answers what a script says, and remembers its calls. */

import type {
  AttemptResult,
  AttemptSignals,
  CarrierPolls,
  Channel,
  Message,
  PreparedMessage,
  ProtocolDefinition,
  Recipient,
} from "@carillon/core";
import { defineTestProtocol } from "../test-protocol.ts";

/**
 * What comes of the nth attempt (from 1) to an endpoint. `unknown`, because
 * some scripts answer what no channel should.
 */
export type Script = (
  recipient: Recipient,
  nth: number,
  signals: AttemptSignals | undefined,
) => unknown;

/** A carrier that can be asked for reports. */
export interface ScriptedCarrier {
  readonly batchSize: number;
  /** Answers the nth question (from 1). `unknown`, as with {@link Script}. */
  readonly answer: (
    ids: readonly string[],
    nth: number,
    signal: AbortSignal,
  ) => unknown;
}

export class ScriptedChannel implements Channel {
  readonly name: string;
  readonly protocols: readonly ProtocolDefinition[];
  readonly kind: Channel["kind"];
  readonly timeoutMs = 5000;
  /** Endpoints, in the order of the attempts. */
  readonly calls: string[] = [];
  /** Attempts without an answer, and how many there were at most. */
  open = 0;
  maxOpen = 0;
  script: Script = () => delivered;
  /** Attempts under way that it takes; by default as many as there are. */
  bound: number | undefined;
  /** Who carries the next attempt; by default it is not chosen. */
  choose: PreparedMessage["chooseRoute"];
  /** Providers that attempts were made through, in their order. */
  readonly routes: (string | undefined)[] = [];
  /** Names of the topics that attempts were made for, in their order. */
  readonly topics: (string | undefined)[] = [];
  /** Who can be asked, by name. */
  readonly carriers = new Map<string, ScriptedCarrier>();
  /** What was asked, in its order. */
  readonly questions: { entry: string; ids: readonly string[] }[] = [];
  readonly polls: CarrierPolls = {
    batchSizeOf: (entry) => this.carriers.get(entry)?.batchSize,
    ask: (entry, ids, signal) => {
      this.questions.push({ entry, ids });
      const nth = this.questionsTo(entry).length;
      // What is no answer is what some scripts are about.
      return this.carriers.get(entry)?.answer(ids, nth, signal) as ReturnType<
        CarrierPolls["ask"]
      >;
    },
  };
  /** What preparing a message leads to; by default it just works. */
  onPrepare: () => unknown = () => undefined;
  readonly #counts = new Map<string, number>();

  constructor(
    name: string,
    protocols: readonly string[],
    kind: Channel["kind"] = "push",
  ) {
    this.name = name;
    this.protocols = protocols.map((it) => defineTestProtocol(it));
    this.kind = kind;
  }

  maxInFlight(): number | undefined {
    return this.bound;
  }

  prepare(message: Message): PreparedMessage | Promise<PreparedMessage> {
    const prepared: PreparedMessage = {
      ...(this.choose && { chooseRoute: this.choose }),
      deliver: (to, signals, route) => {
        this.routes.push(route?.provider);
        this.topics.push(message.topic?.name);
        return this.#deliver(to, signals);
      },
    };
    const waits = this.onPrepare();
    return waits instanceof Promise ? waits.then(() => prepared) : prepared;
  }

  /** How many attempts there were to an endpoint. */
  attemptsTo(endpoint: string): number {
    return this.#counts.get(endpoint) ?? 0;
  }

  /** The ids of each question to a carrier. */
  questionsTo(name: string): (readonly string[])[] {
    return this.questions
      .filter(({ entry }) => entry === name)
      .map(({ ids }) => ids);
  }

  async close(): Promise<void> {}

  // Not async: what a script throws is thrown, as a defective channel would.
  #deliver(
    recipient: Recipient,
    signals: AttemptSignals | undefined,
  ): Promise<AttemptResult> {
    const { endpoint } = recipient;
    const nth = this.attemptsTo(endpoint) + 1;
    this.#counts.set(endpoint, nth);
    this.calls.push(endpoint);
    this.open++;
    this.maxOpen = Math.max(this.maxOpen, this.open);
    const answer = this.script(recipient, nth, signals);
    // What is no result is what some scripts are about.
    if (!(answer instanceof Promise)) {
      this.open--;
      return Promise.resolve(answer) as Promise<AttemptResult>;
    }
    return answer.finally(() => {
      this.open--;
    });
  }
}

export const delivered: AttemptResult = {
  outcome: "delivered",
  statusCode: 200,
};

export const unavailable: AttemptResult = {
  outcome: "deferred",
  errorClass: "http_status",
  error: "503 Service Unavailable",
  statusCode: 503,
};

/** An answer that never comes. */
export const never = (): Promise<never> => new Promise(() => {});

export const interrupted: AttemptResult = {
  outcome: "deferred",
  errorClass: "interrupted",
  error: "The service was shutting down.",
};

/** Answers once the attempt's own signal is aborted, and not before. */
export function ended(
  signals: AttemptSignals | undefined,
  result: AttemptResult,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    signals?.signal.addEventListener("abort", () => resolve(result));
  });
}
