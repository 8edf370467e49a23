/**
 * One setting of the store that several processes change: each change is made
 * from what is kept, and counts only when nothing was written in between.
 */

import { CarillonError } from "./errors.ts";
import type { SettingStore } from "./ports/identity-store.ts";
import type { StoreChanges } from "./ports/store-changes.ts";

/**
 * What a setting becomes; `undefined` leaves it as it is. Called again with
 * what is kept by then when another was quicker: it is to do nothing else.
 */
export type SettingChange = (value: string | undefined) => string | undefined;

/**
 * Calls `listener` when the setting may be another than it was read before,
 * until the answered function is called; see {@link StoreChanges}.
 */
export function watchSetting(
  store: StoreChanges,
  name: string,
  listener: () => void,
): () => void {
  return store.changes((change) => {
    const isMeant = change.kind === "setting" && change.name === name;
    if (isMeant || change.kind === "all") listener();
  });
}

/** One other process at least has succeeded in each round that fails. */
const maxRounds = 100;

export class SharedSetting {
  readonly name: string;
  readonly #store: SettingStore;
  /** Changes of this process are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: SettingStore, name: string) {
    this.#store = store;
    this.name = name;
  }

  async read(): Promise<string | undefined> {
    return (await this.#store.findSetting(this.name))?.value;
  }

  /**
   * Answers what is kept afterwards. What `change` throws is passed on, and
   * nothing is changed.
   *
   * @throws CarillonError STORAGE_UNAVAILABLE when others change it all the time
   */
  change(change: SettingChange): Promise<string | undefined> {
    const changed = this.#turn.then(() => this.#change(change));
    this.#turn = changed.catch(() => {});
    return changed;
  }

  async #change(change: SettingChange): Promise<string | undefined> {
    for (let round = 0; round < maxRounds; round++) {
      const kept = await this.#store.findSetting(this.name);
      const value = change(kept?.value);
      if (value === undefined) return kept?.value;
      const version = kept?.version ?? 0;
      if (await this.#store.putSetting(this.name, value, version)) return value;
    }
    throw new CarillonError(
      "STORAGE_UNAVAILABLE",
      `The setting ${this.name} is changed by other processes all the time; nothing was changed.`,
    );
  }
}
