/**
 * Says when an endpoint begins to fail and when it recovers: failing is one
 * whose last attempts, five in a row, all failed. Which ones fail is the store's
 * knowledge, and kept here as well, so that a success costs no look there; of
 * those whose failures are still counted a number is kept in memory, so that
 * after a restart it takes five more. What a carrier is paid for has no part in
 * it: that fails for the provider's sake.
 */

import type { ChannelKind } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DeliveryListener,
  WrittenDelivery,
} from "../ports/delivery-listener.ts";
import {
  type FailingEndpointStore,
  maxFailingEndpoints,
  type ProjectEndpoint,
} from "../ports/failing-endpoint-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { StoreChange, StoreChanges } from "../ports/store-changes.ts";
import type { Protocol } from "../subscriptions/protocol.ts";

export interface EndpointHealthPorts {
  readonly store: FailingEndpointStore & StoreChanges;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  readonly kindOf: (protocol: Protocol) => ChannelKind | undefined;
}

/** Failed attempts in a row. */
const failuresUntilFailing = 5;

export class EndpointHealth implements DeliveryListener, AsyncDisposable {
  readonly #ports: EndpointHealthPorts;
  readonly #maxEntries: number;
  /** By endpoint, those whose last attempt here failed: how many in a row. */
  readonly #failures = new Map<string, number>();
  /** Those that fail, as far as it is known here, whoever noticed it. */
  readonly #failing = new Set<string>();
  /** What the store is asked and told, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #stop: () => void = () => {};

  /** @param maxEntries how many that fail are remembered, and counted */
  constructor(ports: EndpointHealthPorts, maxEntries = maxFailingEndpoints) {
    this.#ports = ports;
    this.#maxEntries = maxEntries;
  }

  /** Reads which endpoints fail, and from then on what other nodes notice. */
  async start(): Promise<void> {
    const { store, logger } = this.#ports;
    this.#stop = store.changes((change) => {
      void this.#next(() => this.#follow(change)).catch((error: unknown) => {
        logger.warn("failing_endpoints_not_read", { error });
      });
    });
    await this.#next(() => this.#readAll());
  }

  onWritten(deliveries: readonly WrittenDelivery[]): void {
    for (const delivery of deliveries) {
      const { state, attempts, lastAttempt } = delivery.outcome;
      const succeeded = state === "delivered";
      // The usual case costs no more than this.
      const allIsWell = this.#failures.size === 0 && this.#failing.size === 0;
      if (succeeded && allIsWell) continue;
      if (attempts === 0 || lastAttempt === undefined) continue;
      if (delivery.isWithoutAttempt) continue;
      const { message, recipient } = delivery.item;
      // Of events nothing is told.
      if (message.content.kind === "event") continue;
      if (this.#ports.kindOf(recipient.protocol) === "billable") continue;
      const isFailure =
        state === "retrying" || state === "failed" || state === "rejected";
      if (!succeeded && !isFailure) continue;
      // An attempt that ended with the service says nothing of its endpoint.
      if (isFailure && lastAttempt.errorClass === "interrupted") continue;
      const { protocol, endpoint } = recipient;
      const about = { projectId: message.projectId, protocol, endpoint };
      if (succeeded) this.#succeeded(about);
      else this.#failed(about);
    }
  }

  /** Hears no more of other nodes; resolves once what it noticed is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#turn;
  }

  #succeeded(endpoint: ProjectEndpoint): void {
    const key = keyOf(endpoint);
    const before = this.#failures.get(key) ?? 0;
    this.#failures.delete(key);
    if (!this.#failing.delete(key)) return;
    const { store, clock } = this.#ports;
    // Others may have counted it.
    const failures = Math.max(before, failuresUntilFailing);
    this.#tell(
      endpoint,
      () => store.removeFailingEndpoint(endpoint, failures, clock.now()),
      // The next success tells it.
      () => this.#add(key),
    );
  }

  #failed(endpoint: ProjectEndpoint): void {
    const key = keyOf(endpoint);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    if (this.#failures.size > this.#maxEntries) forgetFirst(this.#failures);
    if (failures !== failuresUntilFailing || this.#failing.has(key)) return;
    this.#add(key);
    const { store, clock } = this.#ports;
    const failing = { ...endpoint, since: clock.now() };
    this.#tell(
      endpoint,
      () => store.addFailingEndpoint(failing, failures),
      // Five more failures tell it.
      () => this.#forget(key),
    );
  }

  /** A crash before it is written is as good as a write that fails. */
  #tell(
    { projectId, protocol }: ProjectEndpoint,
    write: () => Promise<boolean>,
    onFailure: () => void,
  ): void {
    const { logger } = this.#ports;
    void this.#next(write).catch((error: unknown) => {
      onFailure();
      logger.warn("event_not_kept", { projectId, protocol, error });
    });
  }

  async #follow(change: StoreChange): Promise<void> {
    if (change.kind === "all") return this.#readAll();
    if (change.kind !== "endpoint") return;
    const { projectId, protocol, endpoint } = change;
    const named = { projectId, protocol, endpoint };
    const key = keyOf(named);
    const failing = await this.#ports.store.findFailingEndpoint(named);
    if (failing) this.#add(key);
    // Its failures are counted anew on all nodes.
    else if (this.#failing.has(key)) this.#forget(key);
  }

  async #readAll(): Promise<void> {
    const all = await this.#ports.store.listFailingEndpoints();
    this.#failing.clear();
    for (const failing of all) this.#add(keyOf(failing));
  }

  #add(key: string): void {
    this.#failing.add(key);
    if (this.#failing.size > this.#maxEntries) forgetFirst(this.#failing);
  }

  #forget(key: string): void {
    this.#failing.delete(key);
    this.#failures.delete(key);
  }

  #next<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function keyOf({ projectId, protocol, endpoint }: ProjectEndpoint): string {
  return `${projectId} ${protocol} ${endpoint}`;
}

/** Both keep the order in which keys were added. */
function forgetFirst(kept: Map<string, unknown> | Set<string>): void {
  for (const first of kept.keys()) {
    kept.delete(first);
    return;
  }
}
