/**
 * Whether the store can write, from what comes of the writes that are made
 * anyway. While they fail, and only then, a small write of our own finds out
 * when they succeed again.
 */

import {
  type CarillonError,
  type Clock,
  isTransient,
  type Logger,
  SharedSetting,
  type Store,
  type Timer,
} from "@carillon/core";

export interface StoreHealth extends Disposable {
  /** The same store, observed. */
  readonly store: Store;
  /** Why the store cannot write now; `undefined` while it can. */
  failure(): CarillonError | undefined;
}

export interface StoreHealthPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two writes of our own. */
const probeIntervalMs = 1000;

/**
 * As large as a good part of the messages: a disk with room for a few bytes
 * only must not count as one that can be written.
 */
const probeValue = "x".repeat(64 * 1024);
const probeSetting = "storage.probe";

export function watchStore({
  store,
  clock,
  logger,
}: StoreHealthPorts): StoreHealth {
  let failure: CarillonError | undefined;
  let failingSince = 0;
  let timer: Timer | undefined;
  let isClosed = false;
  const probed = new SharedSetting(store, probeSetting);

  function onFailure(error: unknown): void {
    // What the store refuses for good says nothing about the next write.
    if (isClosed || !isTransient(error)) return;
    const isFirst = failure === undefined;
    // Only errors of ours are transient.
    failure = error as CarillonError;
    if (!isFirst) return;
    failingSince = clock.monotonic();
    logger.error("storage_failing", { error });
    scheduleProbe();
  }

  function scheduleProbe(): void {
    timer = clock.setTimer(probeIntervalMs, () => void probe());
  }

  async function probe(): Promise<void> {
    try {
      await probed.change(() => probeValue);
      // Takes no room afterwards.
      await probed.change(() => "");
    } catch (error) {
      onFailure(error);
      if (!isClosed) scheduleProbe();
      return;
    }
    if (isClosed) return;
    failure = undefined;
    logger.info("storage_recovered", {
      durationMs: Math.round(clock.monotonic() - failingSince),
    });
  }

  return {
    store: observeWrites(store, onFailure),
    failure: () => failure,
    [Symbol.dispose]() {
      isClosed = true;
      timer?.cancel();
    },
  };
}

/** Methods that only read: their failure does not mean that writes fail. */
const readsOnly = /^(find|get|list|read|peek|count|next|is|close)/;

/**
 * The store, with members in front of all of its own, be it a class, frozen or
 * neither; those that write are observed.
 */
function observeWrites(
  store: Store,
  onFailure: (error: unknown) => void,
): Store {
  const observed: Store = Object.create(store);
  for (const name of memberNames(store)) {
    const isWrite = typeof name === "string" && !readsOnly.test(name);
    const call = (...args: readonly unknown[]) => {
      const method = Reflect.get(store, name);
      const result: unknown = Reflect.apply(method, store, args);
      if (isWrite && result instanceof Promise) result.catch(onFailure);
      return result;
    };
    Object.defineProperty(
      observed,
      name,
      typeof Reflect.get(store, name) === "function"
        ? { value: call }
        : { get: () => Reflect.get(store, name) },
    );
  }
  return observed;
}

/** Of an object and its classes. */
function memberNames(object: object): ReadonlySet<string | symbol> {
  const names = new Set<string | symbol>();
  let current: object | null = object;
  while (current !== null && current !== Object.prototype) {
    for (const name of Reflect.ownKeys(current)) names.add(name);
    current = Object.getPrototypeOf(current);
  }
  names.delete("constructor");
  return names;
}
